"""Take away one option or key of settings at a time: the tests that are said to keep it must fail.

Prints what survived; the exit status is 0 when nothing did. ``--among FILE…`` says of items that nothing keeps
which tests of these files would.
"""

import argparse
import os
import re
import runpy
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[1]
DATA: Final = ROOT / "tests" / "kept_by.toml"
FAILED: Final = 1
"""Exit status of pytest where tests failed; others mean that nothing could be told."""


class Failed:
    """Writes the ids of failed tests to a file, as a plugin of pytest."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Called by pytest after each part of each test."""
        if report.failed:
            with self._path.open("a") as out:
                out.write(f"{report.nodeid.partition('[')[0]}\n")


def kept_by() -> dict[str, list[str]]:
    """Item → its tests."""
    found: dict[str, dict[str, str | list[str]]] = tomllib.loads(DATA.read_text(encoding="utf-8"))
    flat = {item: tests for table in found.values() for item, tests in table.items()}
    return {item: [tests] if isinstance(tests, str) else tests for item, tests in flat.items()}


def main() -> int:
    """0 when every item was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="regular expression that names of items match")
    parser.add_argument("--among", nargs="*", default=[])
    arguments = parser.parse_args()
    os.chdir(ROOT)
    sys.path[:0] = ["tests/integration", *(f"{part}" for part in ("shared", "coordinator", "agent"))]
    sys.dont_write_bytecode = True
    import without_one  # noqa: F401 - read once, for all processes that follow

    kept = kept_by()
    if arguments.among:
        _find(kept, arguments.only, arguments.among)
        return 0
    chosen = {item: tests for item, tests in kept.items() if re.search(arguments.only, item)}
    status, failed = _forked(sorted({test for tests in chosen.values() for test in tests}))
    if status != 0:
        print("the tests fail with every item in its place:", *failed)
        return 1
    survived = [item for item, tests in chosen.items() if not _is_missed(item, tests)]
    print(f"{len(chosen) - len(survived)} of {len(chosen)} items missed when they are taken away")
    return 1 if survived else 0


def _is_missed(item: str, tests: Sequence[str]) -> bool:
    status, _ = _forked(tests, item)
    if status != FAILED:
        print(f"{item} is not missed by {', '.join(tests)} (pytest ended with {status})", flush=True)
    return status == FAILED


def _find(kept: Mapping[str, Sequence[str]], only: str, files: Sequence[str]) -> None:
    items = runpy.run_path(str(ROOT / "docs" / "list_kept.py"))["items"]()
    for item in [item for item in items if item not in kept and re.search(only, item)]:
        _, failed = _forked(files, item)
        print(f'"{item}" = {sorted(set(failed))}', flush=True)


def _forked(tests: Sequence[str], without: str = "") -> tuple[int, list[str]]:
    """How pytest ends in a process of its own, which has all imports already, and what failed there."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "failed"
        child = os.fork()
        if child == 0:
            os._exit(_run(tests, without, told))
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status), told.read_text().splitlines() if told.exists() else []


def _run(tests: Sequence[str], without: str, told: Path) -> int:
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - a file of the system, no path of ours
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    if without:
        import without_one

        without_one.take_away(without)
    return int(pytest.main(["-q", "-x", "-p", "no:cacheprovider", *tests], plugins=[Failed(told)]))


if __name__ == "__main__":
    sys.exit(main())
