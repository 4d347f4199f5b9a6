"""Options of fromager's that mean little here, and its log files."""

import logging
import re

import pytest

from wheelfleet_coordinator.cli import main
from wheelfleet_coordinator.cli.logging_setup import TOLD, set_up_logging, show_more
from wheelfleet_coordinator.cli.settings import sandbox_for
from wheelfleet_shared.errors import InputError

FROMAGERS_RECORD = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+:[\w.]+:\d+: ")


@pytest.fixture(autouse=True)
def nothing_configured(tmp_path, monkeypatch):
    monkeypatch.setenv("WHEELFLEET_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("WHEELFLEET_CREDENTIAL", str(tmp_path / "no-credential.json"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--cleanup", "canonicalize", "a"),
        ("--no-cleanup", "canonicalize", "a"),
        ("--build-wheel-server-url", "http://localhost/", "canonicalize", "a"),
        ("--envs-dir", "overrides/envs", "canonicalize", "a"),
        ("--config", "c.json", "--no-network-isolation", "canonicalize", "a"),
        ("--config", "c.json", "--network-isolation", "canonicalize", "a"),
    ],
)
def test_what_changes_nothing_is_accepted_and_says_so(capsys, monkeypatch, arguments):
    monkeypatch.delenv("WHEELFLEET_CREDENTIAL")
    option = next(word for word in arguments if word.startswith("--") and word != "--config")
    assert main.run(arguments) == 0
    told = capsys.readouterr()
    assert f"wheelfleet: {option} has no effect here: " in told.err
    assert told.out == "a\n"


@pytest.mark.parametrize("command", ["bootstrap", "bootstrap-parallel"])
def test_background_threads_change_nothing(capsys, command):
    assert main.run([command, "--bg-threads", "3"]) == 2
    told = capsys.readouterr().err
    assert "--bg-threads has no effect here" in told
    assert "nothing to bootstrap" in told


def test_nothing_is_said_of_options_that_nobody_gave(capsys):
    assert main.run(["canonicalize", "a"]) == 0
    assert capsys.readouterr().err == ""


def test_network_isolation_is_the_sandbox_of_the_embedded_cluster(capsys):
    assert sandbox_for(None, embedded=True) is None
    assert sandbox_for(True, embedded=True) == "auto"
    assert capsys.readouterr().err == ""
    assert sandbox_for(False, embedded=True) == "none"
    assert "without any sandbox" in capsys.readouterr().err
    assert sandbox_for(False, embedded=False) is None


def test_log_files_hold_what_the_terminal_shows_by_other_means(tmp_path, capsys):
    set_up_logging(tmp_path / "all", tmp_path / "errors", "")
    TOLD.info("leaf-1.0: leaf resolves to 1.0")
    TOLD.error("leaf-1.0: failed: no compiler")
    logging.getLogger("else").debug("detail")
    lines = (tmp_path / "all").read_text().splitlines()
    assert [FROMAGERS_RECORD.sub("", line) for line in lines] == [
        "leaf-1.0: leaf resolves to 1.0",
        "leaf-1.0: failed: no compiler",
        "detail",
    ]
    errors = (tmp_path / "errors").read_text()
    assert FROMAGERS_RECORD.sub("", errors) == "leaf-1.0: failed: no compiler\n"
    assert capsys.readouterr().err == ""


def test_an_error_of_a_command_lies_in_the_files_and_on_the_terminal(tmp_path, capsys):
    assert main.run(["--log-file", "all", "--error-log-file", "errors", "bootstrap", "a=="]) == 2
    said = capsys.readouterr().err.strip()
    assert said.startswith("wheelfleet: input: ")
    for name in ("all", "errors"):
        assert said in (tmp_path / name).read_text()


def test_the_terminal_shows_warnings_in_the_form_asked_for_and_more_where_asked(capsys):
    set_up_logging(None, None, "[%(levelname)s] %(message)s")
    log = logging.getLogger("else")
    log.info("quiet")
    log.warning("loud")
    show_more(logging.INFO)
    log.info("asked for")
    log.debug("not asked for")
    assert capsys.readouterr().err == "[WARNING] loud\n[INFO] asked for\n"


def test_a_log_file_that_cannot_be_and_a_format_that_is_none(tmp_path):
    with pytest.raises(InputError, match="cannot write the log file"):
        set_up_logging(tmp_path / "missing" / "log", None, "")
    with pytest.raises(InputError, match="--log-format"):
        set_up_logging(None, None, "%(levelname)")


def test_test_mode_needs_full_builds(capsys):
    assert main.run(["bootstrap", "--test-mode", "--sdist-only", "a"]) == 2
    assert "--test-mode does not go with --sdist-only" in capsys.readouterr().err


def test_a_format_of_records_is_heeded(capsys, monkeypatch):
    monkeypatch.setenv("WHEELFLEET_CREDENTIAL", "no-credential.json")
    assert main.run(["--debug", "--log-format", "[%(levelname)s]", "bootstrap", "a=="]) == 2
    assert "[DEBUG]" in capsys.readouterr().err
