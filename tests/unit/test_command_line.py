"""What the command line refuses before it looks for any cluster."""

import builtins
import re

import pytest
from nats.errors import Error as NatsError

from wheelfleet_coordinator import __main__ as entry
from wheelfleet_coordinator.cli import main
from wheelfleet_coordinator.cli.inputs import parse_time
from wheelfleet_coordinator.cli.places import Places
from wheelfleet_coordinator.cli.submission import choose_targets, new_run_id
from wheelfleet_coordinator.cli.writing import place_of
from wheelfleet_shared.errors import InfrastructureError, InputError
from wheelfleet_shared.names import is_identifier


@pytest.fixture(autouse=True)
def nothing_configured(tmp_path, monkeypatch):
    """No configuration of this machine is read, and a cluster would be unreachable."""
    for name in ("PIP_CONFIG_FILE", "UV_CONFIG_FILE", "PIP_INDEX_URL", "UV_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("WHEELFLEET_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("WHEELFLEET_CREDENTIAL", str(tmp_path / "no-credential.json"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def refused(capsys):
    """Runs the command, which must end with status 2; what it says on standard error."""

    def run(*arguments: str) -> str:
        assert main.run(list(arguments)) == 2
        return capsys.readouterr().err

    return run


def test_nothing_to_do(refused):
    assert "nothing to bootstrap" in refused("bootstrap")


def test_unparsable_requirement(refused):
    assert "'a=='" in refused("bootstrap", "a==")


def test_unparsable_file_is_named_with_its_line(refused, tmp_path):
    (tmp_path / "r.txt").write_text("# first\ngood\nbad<>1\n")
    assert "r.txt:3" in refused("bootstrap", "-r", "r.txt")


def test_unknown_file(refused):
    assert "cannot read missing.txt" in refused("bootstrap", "-r", "missing.txt")


def test_unknown_url(refused):
    assert "cannot be read" in refused("bootstrap", "-r", "http://127.0.0.1:1/r.txt")


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.rule("daily-1")
def test_contradictory_constraints_in_either_place(refused, tmp_path, place):
    (tmp_path / "one.txt").write_text("a<1\n")
    (tmp_path / "two.txt").write_text("a>2\n")
    if place == "before":
        said = refused("-c", "one.txt", "-c", "two.txt", "bootstrap", "a")
    else:
        said = refused("bootstrap", "--constraints-file", "one.txt", "--constraints-file", "two.txt", "a")
    assert "one.txt:1" in said
    assert "two.txt:1" in said


@pytest.mark.rule("daily-1")
def test_a_previous_graph_that_is_none(refused, tmp_path):
    (tmp_path / "graph.json").write_text("{}")
    assert "graph.json is no graph" in refused("bootstrap", "-p", "graph.json", "a")


@pytest.mark.parametrize("option", [["-O", "file"], ["-O", "file/below"], ["--work-dir", "file"]])
@pytest.mark.rule("daily-1")
def test_an_output_folder_that_is_a_file(refused, tmp_path, option):
    (tmp_path / "file").touch()
    assert "file is a file" in refused(*option, "bootstrap", "a")
    assert "file is a file" in refused("bootstrap", *option, "a")


def test_two_indexes(refused):
    said = refused("bootstrap", "--index-url", "https://a.example/", "--index-url", "https://b.example/", "x")
    assert "--index-url is given twice" in said


def test_an_index_that_is_no_url(refused):
    assert "--index-url option" in refused("bootstrap", "--index-url", "not a url", "a")


def test_a_time_that_is_none(refused):
    assert "--as-of 'yesterday'" in refused("bootstrap", "--as-of", "yesterday", "a")


def test_a_collection_with_a_name_that_cannot_be(refused):
    assert "cannot name a collection" in refused("bootstrap", "--collection", "Ä", "a")


def test_unknown_options_and_commands(refused):
    assert "--nonsense" in refused("bootstrap", "--nonsense")
    assert "nonsense" in refused("nonsense")


def test_good_input_goes_on_to_the_cluster_whose_credential_is_missing(refused):
    assert "no-credential.json" in refused("bootstrap", "a")


def test_a_cluster_without_a_credential(refused, monkeypatch):
    monkeypatch.delenv("WHEELFLEET_CREDENTIAL")
    monkeypatch.setenv("WHEELFLEET_NATS_URL", "nats://127.0.0.1:1")
    assert "no credential" in refused("runs")


@pytest.mark.rule("daily-2")
def test_options_are_read_from_our_variables_then_fromagers(refused, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("FROMAGER_OUTPUT_DIR", "file")
    assert "file is a file" in refused("bootstrap", "a")
    monkeypatch.setenv("WHEELFLEET_OUTPUT_DIR", "folder")
    assert "no-credential.json" in refused("bootstrap", "a")


@pytest.mark.parametrize("error", [ConnectionResetError("Connection lost"), NatsError("closed"), PermissionError("no")])
def test_broken_connections_and_disks_are_told_in_words(monkeypatch, capsys, error):
    def broken(**_):
        raise error

    monkeypatch.setattr(main, "app", broken)
    assert main.run([]) == 3
    assert capsys.readouterr().err.startswith(f"wheelfleet: infrastructure: {error}")


def test_errors_of_our_own_keep_their_traceback(monkeypatch):
    def wrong(**_):
        raise ZeroDivisionError

    monkeypatch.setattr(main, "app", wrong)
    with pytest.raises(ZeroDivisionError):
        main.run([])


def test_ctrl_c_while_modules_are_read_is_told_in_a_word(monkeypatch, capsys):
    real = builtins.__import__

    def interrupted(name, *rest):
        if name == "cli.main":
            raise KeyboardInterrupt
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", interrupted)
    with pytest.raises(SystemExit, match="130"):
        entry.main()
    assert capsys.readouterr().err == "interrupted\n"


def test_help_and_version_end_well(capsys):
    assert main.run(["--help"]) == 0
    assert "bootstrap" in capsys.readouterr().out
    assert main.run(["--version"]) == 0
    assert re.fullmatch(r"wheelfleet \S+\n", capsys.readouterr().out)


def test_replay_of_lines_that_are_no_export(refused, tmp_path):
    (tmp_path / "lines").write_text("nonsense\n")
    assert "line 1" in refused("replay", "--from-export", "lines", "-O", "out")
    assert "cannot read" in refused("replay", "--from-export", "missing", "-O", "out")


def test_the_folder_of_a_replay_is_named_before_or_after_it(refused):
    assert "cannot read" in refused("-O", "out", "replay", "--from-export", "missing")
    assert "cannot read" in refused("replay", "--from-export", "missing", "-O", "out")
    assert "-O FOLDER" in refused("replay", "--from-export", "missing")


def test_run_ids_sort_by_time_and_fit_a_subject():
    ids = [new_run_id() for _ in range(100)]
    assert len(set(ids)) == 100
    assert all(len(run) == 13 and is_identifier(run) for run in ids)
    assert [run[:8] for run in ids] == sorted(run[:8] for run in ids)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-02", 86400.0),
        ("1970-01-01T01:00Z", 3600.0),
        ("1970-01-01T01:00+01:00", 0.0),
        ("@12.5", 12.5),
    ],
)
def test_times(text, seconds):
    assert parse_time(text) == seconds


def test_targets_are_chosen_only_where_it_is_clear():
    assert choose_targets((), ("cp39-other",)) == ("cp39-other",)
    assert choose_targets(("b",), ("a", "b")) == ("b",)
    for wanted, offered in (((), ("x1", "x2")), (("c",), ("a", "b"))):
        with pytest.raises(InputError, match=r"target|offers"):
            choose_targets(wanted, offered)


@pytest.mark.parametrize("path", ["../x", "work-dir/../../x", "/etc/x", "other/x", "work-dir"])
def test_outputs_stay_in_their_folders(tmp_path, path):
    with pytest.raises(InfrastructureError):
        place_of(path, Places(tmp_path, tmp_path, tmp_path))


def test_ctrl_c_during_a_command_is_said(monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("wheelfleet_coordinator.cli.managing.print_status", interrupted)
    assert main.run(["status"]) == 130
    assert capsys.readouterr().err == "interrupted\n"
