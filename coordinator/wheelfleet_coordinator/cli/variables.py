"""Variables of the options that name none: ours and fromager's, after the command, as click makes them of both."""

from typing import Any, Final

from typer.core import TyperGroup, TyperOption

from .options import environment_of

OF_FROMAGER: Final = frozenset(
    {
        "build-order",
        "find-updates",
        "graph",
        "lint",
        "lint-requirements",
        "list-overrides",
        "list-versions",
        "migrate-config",
        "minimize",
        "package",
        "stats",
        "step",
    }
)
"""Commands of fromager's whose options are all read from variables; of others each option says so itself."""

_INNER_NAMES: Final = {"--format": "OUTPUT_FORMAT"}
"""Options whose variable does not bear their name with fromager."""


class WithVariables(TyperGroup):
    """All commands, those of fromager's with a variable for each option."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name in sorted(OF_FROMAGER & self.commands.keys()):
            _add_variables(self.commands[name], _as_variable(name))


def _add_variables(command: Any, name: str) -> None:
    for option in command.params:
        if isinstance(option, TyperOption) and option.envvar is None:
            spelled = next(text for text in option.opts if text.startswith("--"))
            option.envvar = environment_of(f"{name}_{_INNER_NAMES.get(spelled, _as_variable(spelled[2:]))}")
    for below, inner in getattr(command, "commands", {}).items():
        _add_variables(inner, f"{name}_{_as_variable(below)}")


def _as_variable(name: str) -> str:
    return name.replace("-", "_").upper()
