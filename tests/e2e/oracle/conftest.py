"""What the comparisons with fromager share: both programs, one embedded cluster, and a line on the terminal."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fromager_program import Fromager, find_python, install_fromager
from wheelfleet_program import Wheelfleet, sandbox_here

Say = Callable[[str], None]


@pytest.fixture(scope="session")
def say(request: pytest.FixtureRequest) -> Say:
    """Writes a line that is seen however the tests end."""
    plugins = request.config.pluginmanager
    reporter, capturing = plugins.get_plugin("terminalreporter"), plugins.get_plugin("capturemanager")

    def write(line: str) -> None:
        with capturing.global_and_fixture_disabled():
            reporter.ensure_newline()
            reporter.write_line(f"oracle: {line}")

    return write


@pytest.fixture(scope="session")
def python(say: Say) -> Path:
    """The Python both programs build for. Where there is one, nothing below this may skip."""
    found = find_python(os.environ)
    if found is None:
        say("NOT RUN: fromager needs Python 3.12, which is neither on PATH nor with pyenv")
        pytest.skip("no Python 3.12: nothing was compared with fromager")
    return found


@pytest.fixture(scope="session")
def fromager(python: Path) -> Fromager:
    return install_fromager(python, os.environ)


@pytest.fixture(scope="session")
def wheelfleet(python: Path, say: Say, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wheelfleet]:
    sandbox = sandbox_here()
    if sandbox == "none":
        say("no working sandbox on this machine: wheelfleet builds without isolation")
    program = Wheelfleet(tmp_path_factory.mktemp("oracle-data"), python, sandbox)
    yield program
    program.run("down", "--now")
