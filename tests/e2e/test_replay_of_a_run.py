"""Outputs are a function of the log: made again elsewhere from its lines alone, and changed only by what they show."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local_cluster import LocalCluster, local_cluster
from local_index import LocalIndex
from local_runs import Run, result_of

MIDDLE = "middle-1.0/requirements.txt"
SUMMARIES = {"work-dir/bootstrap-summary.json", "work-dir/bootstrap-summary.md"}


@pytest.fixture(scope="module")
def export(cluster: LocalCluster, undisturbed: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log as lines."""
    file = tmp_path_factory.mktemp("export") / "log.jsonl"
    assert cluster.run("export", "--to-file", str(file)).status == 0
    return file


@pytest.fixture(scope="module")
def run(first) -> str:
    """The id of the first run."""
    line = next(line for line in first.said.lines if line.startswith("run "))
    return line.split()[1]


def replay(folder: Path, lines: Path, run: str) -> dict[str, bytes]:
    """Path → content of what is written by a process that has these lines and no cluster."""
    nobody = LocalCluster(folder, "", {})
    said = nobody.run("replay", "--from-export", str(lines), "-O", "again", "--run", run)
    assert said.status == 0, said.err
    assert not nobody.data.exists()
    return content(folder / "again")


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def is_rendered(path: str) -> bool:
    """Whether the file is made from the log, and not fetched from the store."""
    return not path.endswith((".whl", ".tar.gz", "/build.log"))


def test_a_replay_of_the_lines_gives_the_same_bytes(
    tmp_path: Path, cluster: LocalCluster, export: Path, run: str
) -> None:
    told = {path: data for path, data in content(cluster.folder / "out").items() if is_rendered(path)}
    assert len(told) > 30
    assert replay(tmp_path, export, run) == told


Edit = Callable[[dict[str, Any]], bool]


def other_digest(event: dict[str, Any]) -> bool:
    if event["type"] != "WheelAccepted" or event["node"]["name"] != "leaf":
        return False
    event["file"]["sha256"] = "f" * 64
    return True


def other_duration(event: dict[str, Any]) -> bool:
    if event["type"] != "WheelBuilt" or not event["wheel"]["file_name"].startswith("leaf-"):
        return False
    event["resources"]["wall"] = 7000.0
    return True


def other_requirement(event: dict[str, Any]) -> bool:
    for edge in event.get("edges", ()):
        if edge["requirement"] == "leaf>=1":
            edge["requirement"] = "leaf>=0.5"
            return True
    return False


def other_reason(event: dict[str, Any]) -> bool:
    for edge in event.get("edges", ()):
        if edge["node"]["name"] == "leaf":
            edge["why"] = "edited"
            return True
    return False


@pytest.mark.parametrize(
    ("edit", "changed"),
    [
        (other_digest, {"work-dir/bootstrap-summary.json", "wheels-repo/simple/leaf/index.html"}),
        (other_duration, SUMMARIES),
        (other_requirement, {f"work-dir/{name}" for name in ("graph.json", "build-order.json", MIDDLE)}),
        (other_reason, set()),
    ],
)
def test_an_edited_event_changes_exactly_what_shows_it(
    tmp_path: Path, cluster: LocalCluster, export: Path, run: str, edit: Edit, changed: set[str]
) -> None:
    lines = [json.loads(line) for line in export.read_text().splitlines()]
    edited = next(line["sequence"] for line in lines if edit(line["envelope"]["event"]))
    (tmp_path / "edited.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    again = replay(tmp_path, tmp_path / "edited.jsonl", run)
    told = content(cluster.folder / "out")
    assert {path for path, data in again.items() if data != told.get(path)} == changed, f"event {edited} was edited"


@pytest.mark.long
@pytest.mark.rule("epoch-9")
def test_two_runs_on_machines_that_differ_give_the_same_results(
    tmp_path: Path, sources: LocalIndex, undisturbed: Run
) -> None:
    otherwise = {"PYTHONHASHSEED": "4711", "TZ": "Asia/Kathmandu", "LC_ALL": "C", "WHEELFLEET_SANDBOX": "none"}
    with local_cluster(tmp_path / "other", sources.url, umask=0o077, **otherwise) as other:
        said = other.bootstrap("--slots", "5", "-O", "out", "top")
        assert said.status == 0, said.err
        assert result_of(other.folder / "out") == undisturbed
