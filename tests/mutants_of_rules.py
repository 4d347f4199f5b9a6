"""Break one rule of packaging at a time, in a copy of the tree: the tests that are said to keep it must fail.

Prints what survived; the exit status is 0 when nothing did. Names of rules as arguments: only these.
"""

import os
import runpy
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("agent", "coordinator", "docs", "shared", "tests", "pyproject.toml")
DATA = ROOT / "tests" / "rule_mutants.toml"
FAILED = 1
"""Exit status of pytest where tests failed; others mean that nothing could be told."""


class Mutant(NamedTuple):
    """A text of a file that stands there once, and what breaks the rule in its place."""

    rule: str
    file: str
    text: str
    broken: str


def mutants() -> list[Mutant]:
    """All of them, in the order of the rules."""
    return [Mutant(**item) for item in tomllib.loads(DATA.read_text(encoding="utf-8"))["mutant"]]


def main(names: Sequence[str]) -> int:
    """0 when every mutant was killed."""
    marks = runpy.run_path(str(ROOT / "docs" / "list_rules.py"))["marked_tests"]()
    chosen = [mutant for mutant in mutants() if not names or mutant.rule in names]
    with tempfile.TemporaryDirectory(prefix="wheelfleet-mutants-") as folder:
        tree = Path(folder)
        for name in COPIED:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
            copy(ROOT / name, tree / name)
        tests = {mutant.rule: _tests(marks, mutant.rule) for mutant in chosen}
        if _run(tree, sorted({test for group in tests.values() for test in group})) != 0:
            print("the tests fail without any mutant")
            return 1
        survived = [mutant for mutant in chosen if not _is_killed(tree, mutant, tests[mutant.rule])]
    print(f"{len(chosen) - len(survived)} of {len(chosen)} mutants killed")
    return 1 if survived else 0


def _tests(marks: Sequence[object], rule: str) -> list[str]:
    """What keeps the rule, but for what needs a whole cluster."""
    kept = [mark for mark in marks if mark.rule == rule and not mark.long]  # type: ignore[attr-defined]
    return [f"{mark.path}::{mark.test}" for mark in kept if not mark.path.startswith("tests/e2e/")]


def _is_killed(tree: Path, mutant: Mutant, tests: Sequence[str]) -> bool:
    file = tree / mutant.file
    text = file.read_text(encoding="utf-8")
    if text.count(mutant.text) != 1:
        print(
            f"{mutant.rule}: {mutant.file} does not have {mutant.text!r} once: the code has moved on, change the mutant"
        )
        return False
    file.write_text(text.replace(mutant.text, mutant.broken), encoding="utf-8")
    status = _run(tree, tests)
    file.write_text(text, encoding="utf-8")
    if status != FAILED:
        print(f"{mutant.rule} survived (pytest ended with {status}): {mutant.text!r} → {mutant.broken!r}", flush=True)
    return status == FAILED


def _run(tree: Path, tests: Sequence[str]) -> int:
    """How pytest ends. Bytecode of a file that changed twice in a second would be believed, so there is none."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=tree, env=environment, stdout=subprocess.DEVNULL, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
