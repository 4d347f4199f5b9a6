"""Writes ``reference/commands.md`` from the commands themselves: run it after each change of an option."""
# ruff: noqa: INP001 - a script beside the pages that it makes, no part of a package

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from typer.main import get_command

from wheelfleet_agent.cli import app as agent_app
from wheelfleet_coordinator.cli.main import app as coordinator_app

PAGE: Final = Path(__file__).parent / "reference" / "commands.md"
HEAD: Final = """\
# Commands

<!-- Made by docs/list_commands.py from the definitions of the commands; do not edit. -->

The same is told by `wheelfleet --help` and `wheelfleet COMMAND --help`. Exit codes are in
[Exit codes](exit-codes.md). `-c` is a letter with two meanings, as with fromager: before the command it names
constraints, after `bootstrap` it names an index of wheels to take over.
"""


def page() -> str:
    """The text of the page; equal definitions give equal text."""
    lines = [HEAD]
    lines += _sections("wheelfleet", get_command(coordinator_app))
    lines += _sections("wheelfleet-agent", get_command(agent_app))
    return "\n".join(lines).rstrip() + "\n"


def _sections(name: str, command: Any) -> Iterator[str]:
    """Of a command, and of those below it where it is a group."""
    yield from _section(name, command.help, command.params)
    for below, found in getattr(command, "commands", {}).items():
        yield from _sections(f"{name} {below}", found)


def _section(name: str, text: str | None, parameters: Iterable[Any]) -> Iterator[str]:
    shown = [item for item in parameters if not getattr(item, "hidden", False)]
    words = " ".join(_argument(item) for item in shown if item.param_type_name == "argument")
    yield from (f"## {name}", "", f"    {name} [OPTIONS] {words}".rstrip(), "", (text or "").strip(), "")
    if shown:
        yield from ("| | | variables |", "|---|---|---|")
        yield from map(_row, shown)
        yield ""


def _argument(item: Any) -> str:
    return str(item.metavar or item.name.upper())


def _row(item: Any) -> str:
    spelled = [_argument(item)] if item.param_type_name == "argument" else [*item.opts, *item.secondary_opts]
    variables = [item.envvar] if isinstance(item.envvar, str) else list(item.envvar or ())
    return f"| {_code(spelled)} | {_said(item)} | {_code(variables)} |"


def _said(item: Any) -> str:
    text = (item.help or "").replace("|", "\\|")
    default = item.default
    told = default not in (None, "", (), [], False, True) and not callable(default)
    return f"{text} Default: `{default}`.".strip() if told else text


def _code(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
