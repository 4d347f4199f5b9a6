"""Orders, graphs and settings that cannot be used: refused with the place and a way out before anything is queued."""

import json

import pytest

from wheelfleet_coordinator.cli import bootstrapping, building, main

NODE = {"download_url": "https://f.example/a-1.tar.gz", "pre_built": False, "version": "1", "canonicalized_name": "a"}
ENTRY = {"req": "a", "dist": "a", "version": "1", "prebuilt": False, "source_url": "https://f.example/a-1.tar.gz"}
DANGLING = {"": NODE | {"edges": [{"key": "b==1", "req_type": "toplevel", "req": "b"}]}}


@pytest.fixture(autouse=True)
def nothing_is_queued(tmp_path, monkeypatch):
    """A command that comes as far as a run fails the test; nothing of this machine's configuration is read."""
    for name in ("PIP_CONFIG_FILE", "UV_CONFIG_FILE", "PIP_INDEX_URL", "UV_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    for module in (bootstrapping, building):
        monkeypatch.setattr(module, "run_bootstrap", lambda *_: pytest.fail("it came to a run"))


@pytest.fixture
def refused(capsys):
    """Runs the command, which must end with status 2; what it says, with the next step."""

    def run(*arguments: str) -> str:
        assert main.run(arguments) == 2
        told = capsys.readouterr()
        assert told.out == ""
        return told.err

    return run


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("not json", "order.json is no build order"),
        ("{}", "order.json is no build order"),
        ("[]", "order.json"),
        (json.dumps([ENTRY | {"version": "one"}]), "order.json"),
        (json.dumps([{name: value for name, value in ENTRY.items() if name != "version"}]), "order.json"),
        (json.dumps([ENTRY | {"dist": "-"}]), "order.json"),
        (json.dumps([ENTRY | {"source_url": ""}]), "order.json"),
    ],
)
def test_orders(refused, tmp_path, content, says):
    (tmp_path / "order.json").write_text(content)
    said = refused("build-sequence", "order.json")
    assert says in said
    assert "next: " in said


@pytest.mark.parametrize(
    ("content", "says"),
    [("not json", "no graph file"), ("{}", "no root node"), (json.dumps(DANGLING), "from its root to b==1")],
)
@pytest.mark.parametrize("command", ["build-parallel", "bootstrap -p"])
def test_graphs(refused, tmp_path, content, says, command):
    (tmp_path / "graph.json").write_text(content)
    said = refused(*command.split(), "graph.json", *(["a"] if command.startswith("bootstrap") else []))
    assert "graph.json" in said
    assert says in said or "is no graph" in said
    assert "next: " in said


@pytest.mark.parametrize(
    "arguments",
    [
        ("build-sequence", "missing.json"),
        ("build-parallel", "missing.json"),
        ("bootstrap", "-p", "missing.json", "a"),
        ("build-sequence", "http://127.0.0.1:1/order.json"),
    ],
)
def test_files_that_are_not_there(refused, arguments):
    assert arguments[-1 if arguments[0] != "bootstrap" else 2] in refused(*arguments)


@pytest.mark.parametrize(
    ("name", "text", "place", "says"),
    [
        ("settings/a.yaml", "env:\n  A: x\nbuld_dir: y\n", "overrides/settings/a.yaml:3", "buld_dir"),
        (
            "settings/a.yaml",
            "env:\n  A: x\n  B: $NOPE/lib\n",
            "overrides/settings/a.yaml:3",
            "$NOPE, which is not defined",
        ),
        ("settings/a.yaml", "env:\n  A: $(id)\n", "overrides/settings/a.yaml:2", "A"),
        ("settings/a.yaml", "changelog:\n  one: [x]\n", "overrides/settings/a.yaml:2", "one"),
        ("settings/a.yaml", "a: [", "overrides/settings/a.yaml:", "is no YAML"),
        ("settings.yaml", "sbom: {supplyer: me}\n", "overrides/settings.yaml:1", "supplyer"),
        ("patches/a-x.y/1.patch", "", "overrides/patches/a-x.y", "names no version"),
    ],
)
@pytest.mark.parametrize("command", [("bootstrap", "a"), ("build-sequence", "order.json")])
def test_overrides(refused, tmp_path, name, text, place, says, command):
    (tmp_path / "order.json").write_text(json.dumps([ENTRY]))
    path = tmp_path / "overrides" / name
    path.parent.mkdir(parents=True)
    path.write_text(text)
    said = refused(*command)
    assert place in said
    assert says in said
