"""Options that several commands take after their own ones, named once: a command gets them as ``settings``."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, Final

import msgspec
import typer

from . import options as o
from .settings import Settings, format_of, set_verbosity, settings_of

COMMON: Final[dict[str, tuple[Any, Any]]] = {
    "constraints": (o.ConstraintsOption, None),
    "output_dir": (o.OutputOption, None),
    "sdists_repo": (o.SdistsOption, None),
    "wheels_repo": (o.WheelsOption, None),
    "work_dir": (o.WorkOption, None),
    "jobs": (o.JobsOption, None),
    "slots": (o.SlotsOption, None),
    "sandbox": (o.SandboxOption, None),
    "verbose": (o.VerboseOption, False),
    "debug": (o.DebugOption, False),
    "quiet": (o.QuietOption, False),
    "output_format": (o.FormatOption, None),
}


def takes_settings(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the common options added; its parameter ``settings`` is what they and those before it say.

    Typer reads a command's options from its signature, so that is what is changed here.
    """
    own = inspect.signature(command, eval_str=True).parameters
    given = [parameter for name, parameter in own.items() if name != "settings"]
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in COMMON.items()
    ]
    context = inspect.Parameter("invocation", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)

    @functools.wraps(command)
    def wrapped(**values: Any) -> None:
        invocation = values.pop("invocation")
        common = {name: values.pop(name) for name in COMMON}
        command(**values, settings=_settings(invocation, common))

    parameters = [context, *given, *added]
    wrapped.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    wrapped.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return wrapped


def _settings(invocation: typer.Context, common: dict[str, Any]) -> Settings:
    set_verbosity(verbose=common.pop("verbose"), debug=common.pop("debug"))
    chosen = format_of(invocation, common.pop("output_format"))
    before = settings_of(invocation).changed(common.pop("output_dir"), common.pop("quiet"), chosen)
    constraints = (*before.constraints, *(common.pop("constraints") or ()))
    return msgspec.structs.replace(before.overridden(**common), constraints=constraints)
