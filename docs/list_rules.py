"""Writes ``reference/packaging-rules.md`` from rules and the tests that keep them: run it after each change of both."""
# ruff: noqa: INP001 - a script beside the pages that it makes, no part of a package

import ast
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

ROOT: Final = Path(__file__).parents[1]
RULES: Final = ROOT / "tests" / "packaging_rules.toml"
PAGE: Final = Path(__file__).parent / "reference" / "packaging-rules.md"
HEAD: Final = """\
# Rules of packaging

<!-- Made by docs/list_rules.py from tests/packaging_rules.toml and the marks of the tests; do not edit. -->

What real sources ask of a builder. Most of these rules were learnt from one distribution that does not build, or
builds wrongly, without it. Each names the tests that fail when it is broken; `tests/mutants_of_rules.py` breaks
some of them to see that.
"""


class Section(NamedTuple):
    """Rules by id, in order; ``later``: of those that no code keeps yet, what they wait for."""

    title: str
    rules: Mapping[str, str]
    later: Mapping[str, str]


class Marked(NamedTuple):
    """A test and a rule that it keeps. path: relative to the root; long: no part of the CI tier."""

    rule: str
    path: str
    test: str
    long: bool


def sections() -> list[Section]:
    """The rules as they stand in the file."""
    found: list[dict[str, Any]] = tomllib.loads(RULES.read_text(encoding="utf-8"))["section"]
    return [Section(item["title"], item["rules"], item.get("later", {})) for item in found]


def marked_tests() -> list[Marked]:
    """Every mark of a rule on a test, by path and place; the tests are read and not imported."""
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    return [mark for file in files for mark in _marks(file.relative_to(ROOT).as_posix(), file.read_text("utf-8"))]


def page() -> str:
    """The text of the page; equal rules and marks give equal text."""
    kept: defaultdict[str, list[Marked]] = defaultdict(list)
    for mark in marked_tests():
        kept[mark.rule].append(mark)
    lines = [HEAD]
    for section in sections():
        lines += [f"## {section.title}", "", "| | rule | fails without it |", "|---|---|---|"]
        for rule, says in section.rules.items():
            later = f"({section.later[rule]})" if rule in section.later else ""
            lines.append(f"| {rule} | {says} | {later or _tests(kept[rule])} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _marks(path: str, text: str) -> Iterator[Marked]:
    for test in ast.walk(ast.parse(text)):
        if not isinstance(test, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        marks = [ast.unparse(mark) for mark in test.decorator_list]
        for mark in test.decorator_list:
            if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.rule":
                for rule in mark.args:
                    yield Marked(ast.literal_eval(rule), path, test.name, "pytest.mark.long" in marks)


def _tests(marks: Sequence[Marked]) -> str:
    """Links to the files, each with its tests."""
    by_file: defaultdict[str, list[str]] = defaultdict(list)
    for mark in marks:
        by_file[mark.path].append(f"`{mark.test}`")
    return "<br>".join(f"[{Path(file).stem}](../../{file}): {', '.join(names)}" for file, names in by_file.items())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
