"""Writes ``coming-from-fromager.md``: what a user of fromager knows, from a record of it, beside what this code has."""
# ruff: noqa: INP001 - a script beside the pages that it makes, no part of a package

import json
import tomllib
import typing
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
from typer.main import get_command

from wheelfleet_coordinator.cli.main import app
from wheelfleet_coordinator.core.settings_schema import DistributionSettings, GlobalSettings
from wheelfleet_shared.core.plugins import HOOKS, OVERRIDES

ROOT: Final = Path(__file__).parents[1]
RECORD: Final = ROOT / "tests" / "fromager_surface.json"
DIFFERENCES: Final = Path(__file__).with_name("fromager_differences.toml")
PAGE: Final = Path(__file__).with_name("coming-from-fromager.md")
SAME: Final = "the same"
HEAD: Final = """\
# Coming from fromager

<!-- Made by docs/list_fromager.py from tests/fromager_surface.json, docs/fromager_differences.toml and the code. -->

Say `wheelfleet` where you said `fromager`: commands, options, variables and files have the names and places that you
know. Everything that fromager 0.101 lets you name stands below with what it is here, and what differs. Variables of
options may begin with `FROMAGER_`; `WHEELFLEET_` goes before it where both are set.

A command that builds starts a cluster on this machine, unless one is configured; builds run side by side in a
sandbox. Nothing else needs to be set up. [The tutorial](tutorial/first-collection.md) shows a first run, [Use
plugins](how-to/use-plugins.md) what your plugins are given here.
"""


class Row(NamedTuple):
    """Something of fromager's, what it is here (empty: nothing), and what differs in words."""

    name: str
    here: str
    differs: str = ""


class Tables(NamedTuple):
    """All that fromager has, in its order. options: by command, that of the options before one under ``""``."""

    commands: list[Row]
    options: dict[str, list[Row]]
    settings: dict[str, list[Row]]
    plugins: list[Row]
    files: list[Row]


def differences() -> dict[str, Any]:
    """The words, as they stand in the file."""
    return tomllib.loads(DIFFERENCES.read_text(encoding="utf-8"))


def recorded() -> dict[str, Any]:
    """What fromager has, as it was recorded."""
    found: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))
    return found


def tables() -> Tables:
    """Everything of the record beside the code."""
    record, words = recorded(), differences()
    commands = {name.removeprefix("fromager").strip(): items for name, items in record["commands"].items()}
    ours = dict(our_commands("", get_command(app)))
    return Tables(
        [_command(name, ours, words["commands"]) for name in commands if name],
        {name: list(_options(name, items, ours.get(name), words["options"])) for name, items in commands.items()},
        {file: list(_keys(record[file], kind, words["settings"])) for file, kind in KINDS.items()},
        [_plugin(name, words["plugins"]) for name in [*record["overrides"], *record["hooks"]]],
        [Row(item["name"], item.get("here", SAME), item["differs"]) for item in words["file"]],
    )


KINDS: Final[dict[str, type]] = {"settings.yaml": GlobalSettings, "settings/NAME.yaml": DistributionSettings}


def our_commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Every command of ours by its name, those below a group after it; the program itself is ``""``."""
    yield name, command
    for below, inner in getattr(command, "commands", {}).items():
        yield from our_commands(f"{name} {below}".strip(), inner)


def our_keys(kind: type, above: str = "") -> Iterator[str]:
    """The dotted keys of a settings file of ours; NAME stands for one that the user chooses."""
    for name, field in typing.get_type_hints(kind).items():
        yield f"{above}{name}"
        inner = next(
            (item for item in _flat(field) if isinstance(item, type) and issubclass(item, msgspec.Struct)), None
        )
        if inner is not None:
            yield from our_keys(inner, f"{above}{name}.{'NAME.' if typing.get_origin(field) is dict else ''}")


def _flat(annotation: Any) -> list[Any]:
    return [annotation, *(item for argument in typing.get_args(annotation) for item in _flat(argument))]


def _command(name: str, ours: Mapping[str, Any], words: Mapping[str, str]) -> Row:
    return Row(name, SAME if name in ours else "", words.get(name, ""))


def _options(name: str, items: Sequence[Any], command: Any, words: Mapping[str, str]) -> Iterator[Row]:
    """The options of a command of fromager's; arguments stand in the same order, which the tests look at."""
    params = getattr(command, "params", ())
    for item in items:
        if "argument" in item:
            continue
        spelled = item["options"]
        ours = next((found for found in params if set(spelled) <= {*found.opts, *found.secondary_opts}), None)
        yield Row(", ".join(spelled), _here(ours, item["variable"]), words.get(f"{name} {_long(spelled)}".strip(), ""))


def _here(ours: Any, variable: str) -> str:
    if ours is None:
        return ""
    read = [ours.envvar] if isinstance(ours.envvar, str) else list(ours.envvar or ())
    return SAME if not variable or variable in read else "the same, without its variable"


def _long(spelled: Sequence[str]) -> str:
    return next(text for text in spelled if text.startswith("--"))


def _keys(keys: Sequence[str], kind: type, words: Mapping[str, str]) -> Iterator[Row]:
    ours = set(our_keys(kind))
    yield from (Row(key, SAME if key in ours else "", words.get(key, "")) for key in keys)


def _plugin(name: str, words: Mapping[str, str]) -> Row:
    return Row(name, SAME if name in OVERRIDES or name in HOOKS else "", words.get(name, ""))


def page() -> str:
    """The text of the page; equal records, words and code give equal text."""
    found = tables()
    lines = [HEAD, "## Commands", "", *_table("command", found.commands)]
    lines += ["## Options", ""]
    for name, rows in found.options.items():
        if rows:
            lines += [f"### {f'Of `{name}`' if name else 'Before the command'}", "", *_table("option", rows)]
    lines += ["## Keys of settings", ""]
    for file, rows in found.settings.items():
        lines += [f"### `{file}`", "", *_table("key", rows), *_additions(file)]
    lines += ["## Plugin points", "", *_table("function", found.plugins)]
    lines += ["## Files", "", *_table("file", found.files)]
    return "\n".join(lines).rstrip() + "\n"


def _additions(file: str) -> list[str]:
    more = [key for key in our_keys(KINDS[file]) if key not in recorded()[file]]
    return [f"Here alone: {', '.join(f'`{key}`' for key in more)}.", ""] if more else []


def _table(what: str, rows: Sequence[Row]) -> list[str]:
    body = [f"| `{row.name}` | {row.here or 'nothing'} | {row.differs} |" for row in rows]
    return [f"| {what} | here | what differs |", "|---|---|---|", *body, ""]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
