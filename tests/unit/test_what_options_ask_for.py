"""What each option of the commands that build comes to, at the seam where a run is handed to a cluster."""

import json
import logging
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from wheelfleet_coordinator.cli import bootstrapping, building, main
from wheelfleet_coordinator.cli.bootstrapping import Manner
from wheelfleet_coordinator.cli.inputs import Checked
from wheelfleet_coordinator.cli.settings import Format, Settings

ROOT = {"download_url": "", "pre_built": False, "version": "0", "canonicalized_name": "", "constraint": None}
NODE = ROOT | {"download_url": "https://files.example/a-1.0.tar.gz", "version": "1.0", "canonicalized_name": "a"}
EDGE = {"key": "a==1.0", "req_type": "toplevel", "req": "a"}
GRAPH = {"": ROOT | {"edges": [EDGE]}, "a==1.0": NODE | {"edges": []}}
ORDER = [
    {
        "req": "a",
        "constraint": "",
        "dist": "a",
        "version": "1.0",
        "prebuilt": False,
        "source_url": NODE["download_url"],
        "source_url_type": "sdist",
    }
]
FILES = {
    "graph.json": json.dumps(GRAPH),
    "order.json": json.dumps(ORDER),
    "requirements.txt": "from-a-file\n",
    "constraints.txt": "a<9\n",
    "own.yaml": "changelog:\n  cpu: [again]\n",
    "own/b.yaml": "env: {A: '1'}\n",
    "fixes/b/1.patch": "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n",
}


class Queued(NamedTuple):
    checked: Checked
    manner: Manner
    settings: Settings


@pytest.fixture
def queued(tmp_path, monkeypatch):
    """Runs a command that must come to a run; that run, which is handed to nobody."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    write_index(tmp_path / "index" / "a")
    for name in ("PIP_CONFIG_FILE", "UV_CONFIG_FILE", "PIP_INDEX_URL", "UV_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    found: list[Queued] = []

    def hand_over(*asked: Any) -> int:
        found.append(Queued(*asked))
        return 0

    monkeypatch.setattr(bootstrapping, "run_bootstrap", hand_over)
    monkeypatch.setattr(building, "run_bootstrap", hand_over)

    def run(*arguments: str) -> Queued:
        assert main.run([text.format(here=tmp_path.as_uri()) for text in arguments]) == 0
        return found.pop()

    return run


def write_index(folder: Path) -> None:
    """An index page with one sdist."""
    folder.mkdir(parents=True)
    (folder / "index.html").write_text('<a href="a-1.0.tar.gz">a-1.0.tar.gz</a>')
    (folder / "a-1.0.tar.gz").touch()


def options(name: str):
    return lambda found: getattr(found.checked.options, name)


def setting(name: str):
    return lambda found: getattr(found.settings, name)


def constraints(found: Queued) -> list[str]:
    return [text for text, _ in found.checked.inputs.constraints]


def customised(found: Queued) -> list[str]:
    return sorted(found.checked.inputs.customisation.files)


BEFORE = {
    "--constraints-file": (("constraints.txt",), constraints, ["a<9"]),
    "--output-dir": (("out",), lambda found: found.checked.places.work, Path("out/work-dir")),
    "--sdists-repo": (("s",), lambda found: found.checked.places.sdists, Path("s")),
    "--wheels-repo": (("w",), lambda found: found.checked.places.wheels, Path("w")),
    "--work-dir": (("t",), lambda found: found.checked.places.work, Path("t")),
    "--jobs": (("3",), options("cores_per_build"), 3),
    "--slots": (("5",), setting("slots"), 5),
    "--sandbox": (("none",), setting("sandbox"), "none"),
    "--variant": (("rocm",), lambda found: str(found.checked.into), "main/rocm"),
    "--settings-file": (("own.yaml",), customised, ["settings.yaml"]),
    "--settings-dir": (("own",), customised, ["settings/b.yaml"]),
    "--patches-dir": (("fixes",), customised, ["patches/b/1.patch"]),
    "--min-release-age": (("7",), options("min_release_age"), 7),
    "--config": (("c.json",), setting("config"), Path("c.json")),
    "--format": (("json",), setting("format"), Format.JSON),
    "--quiet": ((), setting("quiet"), True),
    "--color": ((), setting("color"), False),
    "--network-isolation": ((), setting("sandbox"), "auto"),
}
SPELLED = {"--color": "--no-color"}
IN_FILES = {"--settings-file", "--settings-dir", "--patches-dir"}
NOT_AFTER = {"--variant", "--min-release-age", "--config", "--color", *IN_FILES}
AFTER = {name: case for name, case in BEFORE.items() if name not in NOT_AFTER | {"--network-isolation"}}

OF_ALL = {
    "--collection": (("nightly",), lambda found: str(found.checked.into), "nightly/cpu"),
    "--target": (("cp311-*",), lambda found: found.manner.targets, ("cp311-*",)),
    "--replace": ((), options("replace"), True),
}
TAKEN_OVER = {
    "--cache-wheel-server-url": (("https://cache.example/",), options("cache_servers"), ("https://cache.example/",)),
}
QUEUING = {"--detach": ((), lambda found: found.manner.detach, True)}
FORCING = {"--force": ((), options("force"), True)}
WORKERS = {"--max-workers": (("6",), setting("slots"), 6)}
BOTH = {
    **OF_ALL,
    **TAKEN_OVER,
    **QUEUING,
    "--requirements-file": (("requirements.txt",), lambda found: found.checked.requirements, ("a", "from-a-file")),
    "--previous-bootstrap-file": (("graph.json",), lambda found: "a==1.0" in found.checked.inputs.previous_graph, True),
    "--index-url": (("https://index.example/simple",), options("index_url"), "https://index.example/simple"),
    "--skip-constraints": ((), options("skip_constraints"), True),
    "--multiple-versions": ((), options("multiple_versions"), True),
    "--max-release-age": (("30",), options("max_release_age"), 30),
    "--fail-fast": ((), options("fail_fast"), True),
    "--dry-run": ((), lambda found: found.manner.dry_run, True),
}
COMMANDS = {
    "bootstrap": (
        ("a",),
        BOTH
        | {
            "--sdist-only": ((), options("sdist_only"), True),
            "--test-mode": ((), options("test_mode"), True),
            "--index-only": ((), options("index_only"), True),
        },
    ),
    "bootstrap-parallel": (("a",), BOTH | FORCING | WORKERS),
    "build": (
        ("a", "1.0", "{here}/index"),
        OF_ALL | {"--wheel-server-url": TAKEN_OVER["--cache-wheel-server-url"]},
    ),
    "build-sequence": (("order.json",), OF_ALL | TAKEN_OVER | QUEUING | FORCING),
    "build-parallel": (("graph.json",), OF_ALL | TAKEN_OVER | QUEUING | FORCING | WORKERS),
}


@pytest.mark.parametrize("option", BEFORE)
def test_options_before_the_command(queued, option):
    values, probe, expected = BEFORE[option]
    assert probe(queued("bootstrap", "a")) != expected
    assert probe(queued(SPELLED.get(option, option), *values, "bootstrap", "a")) == expected


@pytest.mark.parametrize("option", AFTER)
def test_options_that_may_stand_after_each_of_them(queued, option):
    values, probe, expected = AFTER[option]
    assert probe(queued("build-sequence", option, *values, "order.json")) == expected


@pytest.mark.parametrize(
    ("command", "option"), [(name, item) for name, (_, cases) in COMMANDS.items() for item in cases]
)
def test_options_of_the_commands(queued, command, option):
    arguments, cases = COMMANDS[command]
    values, probe, expected = cases[option]
    assert probe(queued(command, *arguments)) != expected
    assert probe(queued(command, option, *values, *arguments)) == expected


@pytest.mark.parametrize("command", ["bootstrap", "bootstrap-parallel"])
def test_a_moment_to_which_the_index_is_seen(queued, command):
    elsewhere = ("--index-url", "{here}/index")
    assert queued(command, *elsewhere, "--as-of", "@12.5", "b").checked.options.as_of == 12.5


@pytest.mark.parametrize(("option", "level"), [("--verbose", logging.INFO), ("--debug", logging.DEBUG)])
@pytest.mark.parametrize("place", ["before", "after"])
def test_more_is_said(queued, option, level, place):
    words = [option, "bootstrap", "a"] if place == "before" else ["bootstrap", option, "a"]
    queued(*words)
    assert logging.getLogger().level == level
