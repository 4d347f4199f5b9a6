"""Commands about files where they differ from fromager's on purpose: bad input, defects, forms for machines."""

import json

import pytest

from answer_cases import lay_out
from wheelfleet_coordinator.cli import main


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch):
    lay_out(tmp_path)
    for name in ("PIP_CONFIG_FILE", "UV_CONFIG_FILE", "PIP_INDEX_URL", "UV_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(capsys):
    """Runs a command; its status, standard output and standard error."""

    def command(line):
        status = main.run(line.split())
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return command


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("graph why missing.json a", "cannot read missing.json"),
        ("graph why requirements.txt a", "requirements.txt: this is no graph file"),
        ("graph why http://127.0.0.1:1/graph.json a", "cannot be read"),
        ("graph why knot.json nope", "nope is not in knot.json"),
        ("graph why knot.json c --version 3", "c at 3 is not in knot.json"),
        ("graph why knot.json c --version x", "'x' is no version"),
        ("graph why knot.json c --requirement-type sometimes", "sometimes"),
        ("graph subset knot.json nope", "nope is not in this graph"),
        ("graph subset knot.json c --dependencies-only --dependents-only", "exclude each other"),
        ("graph find-best-fit knot.json new/order.json", "new/order.json: this is no graph file"),
        ("graph find-best-fit knot.json pyyaml.json ./pyyaml.json", "two collections are named pyyaml"),
        ("graph migrate-graph knot.json", "in today's format already"),
        ("graph to-dot knot.json -o overrides", "cannot write overrides"),
        ("--settings-dir nope graph build-graph knot.json", "--settings-dir nope"),
        ("build-order as-csv knot.json", "knot.json is no build order"),
        ("minimize overrides/patches/urllib3/1.patch knot.json", "states no requirement"),
        ("package list-versions a== ", "'a=='"),
        ("package list-versions a --distribution-type odd", "odd"),
        ("download-sequence knot.json http://127.0.0.1:1/", "knot.json is no build order"),
    ],
)
def test_what_cannot_be_used_is_said_with_its_name(run, line, words):
    status, out, err = run(line)
    assert (status, out) == (2, "")
    assert words in err.replace("\n", " ")


def test_conflicts_are_told_and_leave_no_file(run, files):
    status, out, err = run("graph to-constraints knot.json -o made.txt")
    assert (status, out, (files / "made.txt").exists()) == (1, "", False)
    assert "c: no version serves all that require it" in err
    status, out, _ = run("graph to-constraints knot.json")
    assert (status, out) == (1, "a==1\nb==1\ne==1\n")


def test_outputs_go_to_files(run, files):
    for line in ("graph to-constraints pyyaml.json", "build-order as-csv new/order.json", "graph subset knot.json c"):
        told = run(line)[1]
        assert run(f"{line} -o made") == (0, "", "")
        assert (files / "made").read_bytes().decode() == told


@pytest.mark.parametrize(
    ("line", "look"),
    [
        ("graph why knot.json c --depth 1", lambda found: found["c==2"][1]["parent"] == "e==1"),
        ("graph explain-duplicates knot.json", lambda found: found[0]["name"] == "c"),
        ("graph build-graph knot.json", lambda found: found["rounds"][0] == ["a==1", "c==1", "c==2", "d==1", "e==1"]),
        ("build-order as-csv new/order.json", lambda found: found[1]["order"] == 2),
        ("build-order summary new/order.json old/order.json", lambda found: found[0]["same_version"]),
        ("minimize requirements.txt extras.json", lambda found: found["implied"][0]["requirement"] == "urllib3"),
        ("stats requirements.txt extras.json", lambda found: found[0]["count"] == 6),
        ("lint-requirements requirements.txt", lambda found: found == {"files": 1, "findings": []}),
    ],
)
def test_machines_get_json(run, line, look):
    status, out, _ = run(f"{line} --format json")
    assert status == 0
    assert look(json.loads(out))
    assert run(f"--format json {line}")[1] == out


def test_only_what_is_overridden_is_drawn(run):
    status, out, _ = run("graph to-dot extras.json --overrides-only")
    assert status == 0
    assert {line.split('"')[1].split("==")[0] for line in out.splitlines() if "label=" in line} == {
        "requests",
        "setuptools",
        "setuptools-scm",
        "urllib3",
    }


def test_orders_without_kinds_take_them_from_a_graph(run, files):
    (files / "order.json").write_text('[{"dist": "c", "version": "2"}, {"dist": "a", "version": "1"}]')
    _, out, _ = run("build-order as-csv order.json --graph knot.json")
    assert [line.split(",")[3] for line in out.splitlines()[1:]] == ['"install"', '"toplevel install"']


def test_each_line_of_a_file_that_is_wrong_is_told(run, files):
    (files / "own-constraints.txt").write_text("a<1\nA<2\nb[x]<1\n")
    status, out, err = run("lint-requirements requirements.txt own-constraints.txt")
    assert (status, out) == (1, "")
    assert "own-constraints.txt:2: A<2" in err
    assert "ERROR: 2 failure(s) while validating 2 file(s)." in err
