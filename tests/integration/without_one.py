"""A plugin of pytest that takes one option or one key of settings away: what a user gives for it counts for nothing.

Items are named as in tests/kept_by.toml: ``COMMAND --option`` and ``FILE key``.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import typer.main
import yaml

from wheelfleet_coordinator.cli.common_options import COMMON
from wheelfleet_coordinator.core import settings_file
from wheelfleet_coordinator.core.settings_schema import DistributionSettings, GlobalSettings

AFTER: Final = "COMMAND"
"""Stands for every command that takes the common options."""
_KINDS: Final[Mapping[str, type]] = {"settings.yaml": GlobalSettings, "settings/NAME.yaml": DistributionSettings}


def take_away(item: str) -> None:
    """From now on, in this process, nobody can say anything with the item."""
    first, _, last = item.rpartition(" ")
    if first in _KINDS:
        _take_key(_KINDS[first], last.split("."))
    else:
        _take_option(first, last)


def _take_option(command: str, option: str) -> None:
    make = typer.main.get_command

    def without(app: typer.Typer) -> Any:
        made = make(app)
        taken = [
            found for name, inner in commands("", made) if _is_meant(command, name, inner) for found in inner.params
        ]
        for found in taken:
            if option in found.opts:
                found.consume_value = _default_of(found)
        return made

    typer.main.get_command = without


def _is_meant(wanted: str, name: str, command: Any) -> bool:
    return takes_common(command) and bool(name) if wanted == AFTER else name == wanted


def _default_of(option: Any) -> Callable[[Any, Any], tuple[Any, Any]]:
    def value(context: Any, given: Any) -> tuple[Any, Any]:
        del given
        _, source = type(option).consume_value(option, context, {option.name: None})
        return option.get_default(context), source

    return value


def commands(name: str, command: Any) -> list[tuple[str, Any]]:
    """Every command by its name, those of a group after it; the program itself is ``""``."""
    below = getattr(command, "commands", {})
    return [
        (name, command),
        *(found for key, inner in below.items() for found in commands(f"{name} {key}".strip(), inner)),
    ]


def takes_common(command: Any) -> bool:
    """Whether the command takes the options that several take after their own ones."""
    return COMMON.keys() <= {found.name for found in command.params}


def _take_key(kind: type, path: list[str]) -> None:
    read = settings_file.read_yaml

    def without(data: bytes, wanted: type, *rest: Any) -> Any:
        found = _parsed(data) if wanted is kind else None
        if found is not None and _drop(found, path):
            data = yaml.safe_dump(found).encode()
        return read(data, wanted, *rest)

    settings_file.read_yaml = without  # type: ignore[assignment]


def _parsed(data: bytes) -> Any:
    try:
        return yaml.safe_load(data)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError):
        return None


def _drop(found: Any, path: list[str]) -> bool:
    """Whether the key was there; NAME stands for each key of a mapping."""
    if not isinstance(found, dict):
        return False
    head, *rest = path
    if head == "NAME":
        return sum(_drop(inner, rest) for inner in found.values()) > 0
    if rest:
        return _drop(found.get(head), rest)
    return found.pop(head, None) is not None
