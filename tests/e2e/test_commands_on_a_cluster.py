"""The command as people use it, on a real embedded cluster and a folder of tiny sources."""

import functools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from small_index import Tiny, write_index

COMMAND = (sys.executable, "-m", "wheelfleet_coordinator")
SOURCES = [
    Tiny("tool"),
    Tiny("leaf"),
    Tiny("top", build=("tool",), install=("leaf",)),
    Tiny("broken", fails=True),
    Tiny("needy", build=("broken",)),
    Tiny("later"),
]


class Said(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


class Machine:
    """A user's machine: a folder, an index of sources, a cluster that starts by itself."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.index = write_index(folder / "sources", SOURCES)
        root = Path(__file__).parents[2]
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_", "WHEELFLEET_"))
        }
        self.environment = kept | {
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "WHEELFLEET_DATA": str(folder / "data"),
            "WHEELFLEET_SANDBOX": "none",
            "PYTHONPATH": os.pathsep.join(str(root / part) for part in ("coordinator", "agent", "shared")),
        }

    def run(self, *arguments: str) -> Said:
        done = subprocess.run(
            [*COMMAND, *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def bootstrap(self, *arguments: str) -> Said:
        return self.run("bootstrap", "--index-url", self.index, *arguments)

    def newest_run(self) -> str:
        return json.loads(self.run("runs", "--limit", "1", "--format", "json").out)["runs"][0]["run"]


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    made = Machine(tmp_path_factory.mktemp("machine"))
    yield made
    made.run("down", "--now")


@pytest.fixture(scope="module")
def first(machine: Machine) -> Said:
    return machine.bootstrap("-O", "out", "top")


@pytest.fixture(scope="module")
def failed(machine: Machine) -> Said:
    return machine.bootstrap("-O", "failed", "needy", "leaf", "absent")


@pytest.mark.rule("daily-4")
def test_a_bootstrap_tells_its_milestones_and_ends_with_the_command_to_install(first: Said, machine: Machine):
    assert first.status == 0, first.err
    assert first.lines[0].startswith(
        f"wheelfleet: index {machine.index.rstrip('/')} (the --index-url option); target cp"
    )
    assert "top-1.0: top resolves to 1.0" in first.lines
    assert any(line.startswith("top-1.0: built in ") and "(top-1.0-0-py3-none-any.whl)" in line for line in first.lines)
    index = (machine.folder / "out" / "wheels-repo" / "simple").as_uri()
    assert first.lines[-1] == f"pip install --index-url {index}/ --only-binary :all: top"


def test_the_outputs_lie_where_fromager_puts_them(first: Said, machine: Machine):
    out = machine.folder / "out"
    assert set(json.loads((out / "work-dir" / "graph.json").read_text())) == {"", "top==1.0", "tool==1.0", "leaf==1.0"}
    assert (out / "work-dir" / "constraints.txt").read_text() == "leaf==1.0\ntop==1.0\n"
    assert sorted(path.name for path in (out / "wheels-repo" / "downloads").iterdir()) == [
        f"{name}-1.0-0-py3-none-any.whl" for name in ("leaf", "tool", "top")
    ]
    assert (out / "sdists-repo" / "builds" / "top-1.0.tar.gz").exists()


@pytest.mark.rule("daily-4")
def test_the_command_at_the_end_installs(first: Said, machine: Machine):
    subprocess.run([sys.executable, "-m", "venv", str(machine.folder / "venv")], check=True)
    python = machine.folder / "venv" / "bin" / "python"
    _, *install = first.lines[-1].split()
    clean = {"PATH": os.environ["PATH"], "HOME": str(machine.folder)}
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--quiet", *install]
    subprocess.run(pip, env=clean, check=True, capture_output=True)
    subprocess.run([str(python), "-c", "import top, leaf"], env=clean, check=True)


@pytest.mark.rule("taken-1", "taken-3", "daily-6")
def test_a_second_run_takes_everything_over_and_gives_the_same_graph(first: Said, machine: Machine):
    again = machine.bootstrap("-O", "again", "--format", "json", "top")
    assert again.status == 0, again.err
    progress = json.loads(again.out)
    assert [(row.get("built", 0), row["taken_over"]) for row in progress["counts"]] == [(0, 3)]
    one, two = (str(machine.folder / name / "work-dir" / "graph.json") for name in ("out", "again"))
    assert Path(one).read_bytes() == Path(two).read_bytes()
    same = machine.run("diff", one, two)
    assert (same.status, same.out) == (0, "no difference\n")


def test_failures_are_named_with_their_causes_first(failed: Said, machine: Machine):
    assert failed.status == 1
    found = [line for line in failed.lines if line.startswith("FAILED")]
    assert [line.split()[1] for line in found] == ["absent", "broken==1.0", "needy==1.0"]
    assert "  error: it is not there" in failed.lines
    assert "  needed by: needy==1.0 → broken==1.0" in failed.lines
    assert (machine.folder / "failed" / "wheels-repo" / "downloads" / "leaf-1.0-0-py3-none-any.whl").exists()


@pytest.mark.rule("daily-9")
def test_a_failed_run_can_be_looked_into(failed: Said, machine: Machine):
    runs = json.loads(machine.run("--format", "json", "runs").out)["runs"]
    run = next(row["run"] for row in runs if row["status"] == "failed")
    assert "build-system requirement broken of needy==1.0" in machine.run("why", run, "broken").out
    assert "error: it is not there" in machine.run("explain", run, "broken").out
    assert "looking for the one thing that is needed" in machine.run("logs", run, "broken").out
    assert machine.run("wait", run[:12]).status == 1
    assert "did you mean" in machine.run("explain", run, "brokem").err
    assert json.loads(machine.run("show", run, "--format", "json").out)["status"] == "failed"
    again = machine.run("retry", run, "broken", "--quiet", "-O", "retried")
    assert again.status == 1
    assert "  error: it is not there" in again.lines


def test_interrupting_stops_the_watching_alone(machine: Machine):
    process = subprocess.Popen(
        [*COMMAND, "-O", "later", "bootstrap", "--index-url", machine.index, "later"],
        cwd=machine.folder,
        env=machine.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A test run in the background ignores Ctrl-C, and its children would too.
        preexec_fn=functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    assert process.stdout is not None
    next(line for line in process.stdout if "resolves to" in line)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "watching stopped; the run goes on: wheelfleet wait" in said
    run = said.split()[-1]
    assert machine.run("wait", run, "-O", "later").status == 0
    assert (machine.folder / "later" / "wheels-repo" / "downloads" / "later-1.0-0-py3-none-any.whl").exists()
    assert machine.run("cancel", run).status == 2


def test_a_replay_of_the_export_gives_the_same_bytes(first: Said, machine: Machine):
    run = machine.newest_run()
    rows = json.loads(machine.run("runs", "--format", "json").out)["runs"]
    oldest = rows[-1]["run"]
    assert machine.run("export", "--to-file", "log.jsonl").status == 0
    replayed = machine.run("replay", "--from-export", "log.jsonl", "-O", "replayed", "--run", oldest)
    assert replayed.status == 0, replayed.err
    for kind in ("graph.json", "build-order.json", "constraints.txt", "bootstrap-summary.json"):
        told, again = (machine.folder / folder / "work-dir" / kind for folder in ("out", "replayed"))
        assert told.read_bytes() == again.read_bytes()
    assert run != oldest


@pytest.mark.rule("daily-5")
def test_detached_runs_and_dry_ones(first: Said, machine: Machine):
    dry = machine.bootstrap("--dry-run", "--format", "json", "top", "later>5")
    assert dry.status == 1, dry.err
    told = json.loads(dry.out)
    assert told["type"] == "DryRun"
    top, later = told["requirements"]
    assert (top["status"], top["version"], top["wheel"]) == ("take over", "1.0", "top-1.0-0-py3-none-any.whl")
    assert (later["status"], later["version"]) == ("no version", "")
    assert later["why"]
    detached = machine.bootstrap("--detach", "top")
    assert detached.out == f"{machine.newest_run()}\n"
    assert machine.run("wait", detached.out.strip()).status == 0


def test_the_cluster_can_be_seen_and_examined(first: Said, machine: Machine):
    status = json.loads(machine.run("status", "--format", "json").out)
    assert status["running"]
    assert status["index_url"].endswith("/indexes/main/cpu/simple/")
    assert [row["status"] for row in json.loads(machine.run("agents", "--format", "json").out)["agents"]] == ["alive"]
    assert json.loads(machine.run("gc", "--dry-run", "--format", "json").out)["blobs"] == 0
    findings = {row["part"]: row["state"] for row in json.loads(machine.run("doctor", "--format", "json").out)}
    assert findings["nats"] == findings["coordinator"] == findings["store"] == "good"


def test_whoever_follows_the_log_is_told_that_the_cluster_stopped(first: Said, machine: Machine):
    process = subprocess.Popen(
        [*COMMAND, "events", "--follow"],
        cwd=machine.folder,
        env=machine.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    last = json.loads(machine.run("--format", "json", "events").lines[-1])["sequence"]
    next(line for line in process.stdout if line.startswith(f"{last} "))
    assert machine.run("down", "--now").status == 0
    _, said = process.communicate(timeout=30)
    assert process.returncode == 3
    assert "the cluster was stopped" in said
    assert "next: start it again and go on: wheelfleet events --follow --since" in said
    assert "starting the cluster in" in machine.run("up").err
