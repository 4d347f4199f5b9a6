"""Writes ``reference/options-and-tests.md`` from tests/kept_by.toml: run it after each change of that."""
# ruff: noqa: INP001 - a script beside the pages that it makes, no part of a package

import runpy
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from typer.main import get_command

from wheelfleet_coordinator.cli.common_options import COMMON
from wheelfleet_coordinator.cli.main import app

ROOT: Final = Path(__file__).parents[1]
DATA: Final = ROOT / "tests" / "kept_by.toml"
PAGE: Final = Path(__file__).parent / "reference" / "options-and-tests.md"
BUILDING: Final = frozenset({"bootstrap", "bootstrap-parallel", "build", "build-sequence", "build-parallel"})
OF_THE_SHELL: Final = frozenset({"--install-completion", "--show-completion"})
HEAD: Final = """\
# Options and settings, each with its test

<!-- Made by docs/list_kept.py from tests/kept_by.toml; do not edit. -->

Every option before a command, every option of a command that builds or that fromager has, and every key of settings.
Each names a test that fails when the item is taken away, which `tests/mutants_of_options.py` does with one after the
other.
"""


def items() -> list[str]:
    """Everything that has to be kept by a test: ``COMMAND --option``, then ``FILE key``."""
    listed = runpy.run_path(str(Path(__file__).with_name("list_fromager.py")))
    known = {name.removeprefix("fromager").strip() for name in listed["recorded"]()["commands"]}
    found = [
        option
        for name, command in listed["our_commands"]("", get_command(app))
        if name in known | BUILDING
        for option in _options(name, command)
    ]
    common = [f"COMMAND {_long(item)}" for item in _common()]
    keys = [
        f"{file} {key}" for file, kind in listed["KINDS"].items() for key in _leaves(list(listed["our_keys"](kind)))
    ]
    return [*found, *common, *keys]


def _options(name: str, command: Any) -> Iterator[str]:
    takes_common = bool(name) and COMMON.keys() <= {found.name for found in command.params}
    for item in command.params:
        shared = takes_common and item.name in COMMON
        if item.param_type_name != "argument" and not shared and _long(item) not in OF_THE_SHELL:
            yield f"{name} {_long(item)}".strip()


def _common() -> list[Any]:
    """The options that several commands take after their own ones."""
    command = get_command(app).commands["bootstrap"]  # type: ignore[attr-defined]
    return [item for item in command.params if item.name in COMMON]


def _long(item: Any) -> str:
    return next(text for text in item.opts if text.startswith("--"))


def _leaves(keys: list[str]) -> list[str]:
    """The keys that hold values; those above them are kept with them."""
    return [key for key in keys if not any(other.startswith(f"{key}.") for other in keys)]


def kept_by() -> dict[str, dict[str, list[str]]]:
    """Section of the file → item → its tests."""
    found = tomllib.loads(DATA.read_text(encoding="utf-8"))
    return {
        section: {item: [tests] if isinstance(tests, str) else tests for item, tests in table.items()}
        for section, table in found.items()
    }


def page() -> str:
    """The text of the page; equal data gives equal text."""
    lines = [HEAD]
    for section, table in kept_by().items():
        lines += [f"## {section}", "", "| | fails without it |", "|---|---|"]
        lines += [f"| `{item}` | {'<br>'.join(map(_link, tests))} |" for item, tests in table.items()]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _link(test: str) -> str:
    file, _, name = test.partition("::")
    return f"[{Path(file).stem}](../../{file}): `{name}`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
