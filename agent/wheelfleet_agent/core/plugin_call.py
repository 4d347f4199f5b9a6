"""One call of a plugin's function: what is asked, and what an answer may be.

Questions and answers are JSON, between an agent and a child process that it starts for each call.
"""

from collections.abc import Iterable
from typing import Any, Final, Literal, TypeVar

import msgspec
from packaging.requirements import InvalidRequirement, Requirement

from wheelfleet_shared.core.plugins import Plugin
from wheelfleet_shared.core.recipe import PatchFile
from wheelfleet_shared.errors import PolicyError

LONGEST_ANSWER: Final = 16 << 20
_NEXT: Final = "correct the plugin, or take it away; `wheelfleet lint` says what plugins may use"
Read = TypeVar("Read")


class Question(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which function is called with what; paths are those that the child sees.

    function: of the plugin's module, called as the override or hook ``point``. search: folders of modules
    beside the standard library's, in order. root: holds work-dir, sdists-repo and wheels-repo. tree: of the
    source; build_dir: relative to it. archive: as upstream published it. environment: the virtual
    environment of the build. environ: what hooks are given. sdist, wheel: finished files. tags: of the wheel.
    """

    function: str
    point: str
    module: str
    search: tuple[str, ...]
    name: str
    version: str
    root: str
    variant: str = "cpu"
    settings: dict[str, Any] = {}
    tree: str = ""
    build_dir: str = "."
    archive: str = ""
    environment: str = ""
    environ: dict[str, str] = {}
    sdist: str = ""
    wheel: str = ""
    tags: tuple[str, ...] = ()
    patches: tuple[PatchFile, ...] = ()
    update_requires: tuple[str, ...] = ()
    remove_requires: tuple[str, ...] = ()
    network: bool = False


class Fault(msgspec.Struct, frozen=True):
    """Why a function gave nothing that could be used. place: file and line in the plugin, where known."""

    kind: Literal["import", "argument", "raised", "type"]
    what: str
    place: str = ""


class Answer(msgspec.Struct, frozen=True):
    """What a function gave. value: JSON-like, a path as text. files: what it left for the wheel, by name."""

    value: Any = None
    files: dict[str, bytes] = {}
    fault: Fault | None = None


class PluginFailed(PolicyError):
    """A plugin of the user's did not do what its place asks for."""

    def __init__(self, plugin: str, function: str, what: str) -> None:
        super().__init__(f"plugin {plugin}: {function} {what}", _NEXT)


def read_answer(data: bytes, plugin: Plugin, function: str) -> Answer:
    """The answer that a child wrote; raises PluginFailed for a fault that it tells, and for nonsense."""
    try:
        answer = msgspec.json.decode(data, type=Answer)
    except msgspec.MsgspecError as error:
        raise PluginFailed(plugin.name, function, f"gave an answer that is none: {error}") from None
    if answer.fault is not None:
        place = f" ({answer.fault.place})" if answer.fault.place else ""
        raise PluginFailed(plugin.name, function, f"{answer.fault.what}{place}")
    return answer


def value_of(answer: Answer, kind: type[Read], plugin: Plugin, function: str) -> Read:
    """The answer's value as what it must be; raises PluginFailed for anything else."""
    try:
        return msgspec.convert(answer.value, type=kind)
    except msgspec.ValidationError as error:
        raise PluginFailed(plugin.name, function, f"gave an answer that is none: {error}") from None


def requirements_in(texts: Iterable[str], plugin: Plugin, function: str) -> tuple[str, ...]:
    """The requirements, each once and in their order of text; raises PluginFailed for one that is none."""
    try:
        return tuple(sorted({str(Requirement(text)) for text in texts}))
    except InvalidRequirement as error:
        raise PluginFailed(plugin.name, function, f"gave a requirement that is none: {error}") from None


def changed_environ(before: dict[str, str], after: dict[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Variables that are new or different afterwards, and those that are gone."""
    return (
        {name: value for name, value in after.items() if before.get(name) != value},
        tuple(sorted(before.keys() - after.keys())),
    )
