"""Options of the commands about files that other tests do not need."""

import json

import pytest

from answer_cases import lay_out
from wheelfleet_coordinator.cli import main


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs a command among the files that answers were recorded for; its status and output."""
    lay_out(tmp_path)
    monkeypatch.chdir(tmp_path)

    def command(line: str) -> tuple[int, str]:
        return main.run(line.split()), capsys.readouterr().out

    return command


@pytest.mark.parametrize(
    "line",
    [
        "graph to-constraints pyyaml.json",
        "graph to-dot knot.json",
        "graph subset knot.json c",
        "build-order as-csv new/order.json",
        "build-order summary new/order.json old/order.json",
        "minimize requirements.txt extras.json",
    ],
)
def test_an_answer_goes_to_a_file(run, tmp_path, line):
    told = run(line)
    assert told[1] != ""
    assert run(f"{line} --output made") == (0, "")
    assert (tmp_path / "made").read_bytes().decode() == told[1]


def test_an_old_graph_is_written_anew_where_it_was_said(run, tmp_path):
    (tmp_path / "old.json").write_text('{"": [["toplevel", "a", "1.0", "a==1.0"]]}')
    status, told = run("graph migrate-graph old.json")
    assert status == 0
    assert "a==1.0" in json.loads(told)
    assert run("graph migrate-graph old.json --output made") == (0, "")
    assert (tmp_path / "made").read_text() == told


def test_what_lint_finds_is_json_for_machines(run, tmp_path):
    (tmp_path / "overrides" / "settings" / "solo.yaml").write_text("epoch: 7\n")
    assert "errors" in json.loads(run("lint --format json")[1])
