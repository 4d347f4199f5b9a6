"""A plugin's function, found and called with the arguments that it takes, and what it gave as JSON.

Functions get what fromager gives them, by name; those that a function does not take are left out.
"""

import importlib
import inspect
import logging
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

import msgspec
from packaging.requirements import Requirement
from packaging.tags import Tag
from packaging.version import Version

from ..core.plugin_call import Answer, Fault, Question
from .unoffered import offer_nothing_else
from .unpacked_wheel import UnpackedWheel

logger = logging.getLogger(__name__)


class _Unusable(Exception):
    """Carries a fault out."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.what)
        self.fault = fault


def answered(data: bytes) -> bytes:
    """The answer to a question, both as JSON; a plugin that fails gives an answer that says so."""
    question = msgspec.json.decode(data, type=Question)
    try:
        answer = _answer(question)
    except _Unusable as unusable:
        answer = Answer(fault=unusable.fault)
    return msgspec.json.encode(answer)


def _answer(question: Question) -> Answer:
    function = _found(question)
    known = _arguments(question)
    wheel = UnpackedWheel(Path(question.wheel), Path(question.root)) if question.point in _INTO_THE_WHEEL else None
    if wheel is not None:
        known["dist_info_dir"] = wheel.dist_info
    result = _called(function, _taken(function, known), question)
    environ = known.get("extra_environ", {})
    value = environ if question.point == "update_extra_environ" else result
    value = _checked(value, question, function)
    try:
        return Answer(value, wheel.changes() if wheel is not None else {})
    except ValueError as error:
        raise _Unusable(Fault("type", f"left {error}", _where(function))) from None


_INTO_THE_WHEEL = frozenset({"add_extra_metadata_to_wheels"})


def _found(question: Question) -> Callable[..., Any]:
    offer_nothing_else()
    try:
        module = importlib.import_module(question.module)
    except BaseException as error:  # noqa: BLE001 - whatever a plugin raises is told
        raise _Unusable(Fault("import", f"cannot be imported: {_told(error)}", _place(error.__traceback__))) from None
    function = _attribute(module, question.function)
    if not callable(function):
        raise _Unusable(Fault("import", f"is no function of {question.module}", str(module.__file__)))
    return function  # type: ignore[no-any-return]


def _attribute(module: ModuleType, dotted: str) -> Any:
    found: Any = module
    for name in dotted.split("."):
        found = getattr(found, name, None)
    return found


def _arguments(question: Question) -> dict[str, Any]:
    """All that any function may take, by fromager's names; what does not belong to this call is left out."""
    context = importlib.import_module("fromager.context")
    build_environment = importlib.import_module("fromager.build_environment")
    ctx = context.WorkContext(question)
    req = Requirement(f"{question.name}=={question.version}")
    tree = Path(question.tree)
    known: dict[str, Any] = {"ctx": ctx, "req": req, "version": Version(question.version)}
    known |= {"dist_name": question.name, "dist_version": question.version}
    known |= {"config_settings": question.settings.get("config_settings", {}), "sdist_filename": None}
    if question.tree:
        known |= {"sdist_root_dir": tree, "build_dir": tree / question.build_dir}
    if question.environment:
        known["build_env"] = build_environment.BuildEnvironment(ctx=ctx, req=req, sdist_root_dir=tree)
        known["extra_environ"] = dict(question.environ)
    files = {"source_filename": question.archive, "sdist_filename": question.sdist, "wheel_filename": question.wheel}
    known |= {name: Path(path) for name, path in files.items() if path}
    if question.tags:
        known["wheel_tags"] = frozenset(Tag(*text.split("-")) for text in question.tags)
    return known


def _taken(function: Callable[..., Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that the function takes; raises where it needs one that there is none for."""
    parameters = inspect.signature(function).parameters
    if any(found.kind is inspect.Parameter.VAR_KEYWORD for found in parameters.values()):
        return dict(known)
    named = {name: found for name, found in parameters.items() if found.kind is not inspect.Parameter.VAR_POSITIONAL}
    missing = [name for name, found in named.items() if name not in known and found.default is found.empty]
    if missing:
        raise _Unusable(Fault("argument", f"wants {', '.join(missing)}, which is not given here", _where(function)))
    return {name: value for name, value in known.items() if name in named}


def _called(function: Callable[..., Any], arguments: dict[str, Any], question: Question) -> Any:
    logger.info("%s: calling %s of %s", question.name, question.function, question.module)
    try:
        return function(**arguments)
    except BaseException as error:  # noqa: BLE001 - whatever a plugin raises is told
        traceback.print_exception(error, file=sys.stdout)
        raise _Unusable(Fault("raised", f"raised {_told(error)}", _place(error.__traceback__))) from None


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _place(trace: TracebackType | None) -> str:
    """File and line of the innermost frame that is the plugin's; else of the innermost one."""
    frames = [frame for frame in traceback.extract_tb(trace) if not frame.filename.startswith("<frozen")]
    own = [frame for frame in frames if "/plugins/" in frame.filename]
    shown = own or frames
    return f"{_short(shown[-1].filename)}:{shown[-1].lineno}" if shown else ""


def _where(function: Callable[..., Any]) -> str:
    """File and line at which the function begins; empty for one that has no source."""
    try:
        return f"{_short(inspect.getsourcefile(function) or '')}:{inspect.getsourcelines(function)[1]}"
    except (OSError, TypeError):
        return ""


def _short(file_name: str) -> str:
    """The path as it stands in the user's folder."""
    return file_name.rpartition("/plugins/")[2] if "/plugins/" in file_name else file_name


def _checked(value: Any, question: Question, function: Callable[..., Any]) -> Any:
    """The value as JSON knows it, where it is of the kind that the place asks for."""
    wanted, read = _RESULTS.get(question.point, ("None", _nothing))
    try:
        return read(value)
    except (TypeError, ValueError):
        shown = f"{type(value).__name__} ({value!r})"
        raise _Unusable(Fault("type", f"gave {shown[:200]}, where {wanted} is expected", _where(function))) from None


def _nothing(value: object) -> None:
    """Hooks give nothing, and nobody looks."""


def _path(value: object) -> str:
    if isinstance(value, tuple) and len(value) == 2:
        value = value[0]
    if not isinstance(value, Path):
        raise TypeError
    return str(value)


def _path_or_nothing(value: object) -> str | None:
    return None if value is None else _path(value)


def _requirements(value: object) -> list[str]:
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise TypeError
    items = list(value)
    if not all(isinstance(item, str | Requirement) for item in items):
        raise TypeError
    return [str(item) for item in items]


def _environ(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(item, str) for pair in value.items() for item in pair):
        raise TypeError
    return value


def _facts(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(value, enc_hook=str))
    return found


def _segments(value: object) -> list[str]:
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise TypeError
    items = list(value)
    good = all(isinstance(item, str) and item and item.isascii() and item.replace(".", "0").isalnum() for item in items)
    if not good:
        raise TypeError
    return items


_RESULTS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "prepare_source": ("a Path, or one with a bool,", _path),
    "get_build_system_dependencies": ("requirements", _requirements),
    "get_build_backend_dependencies": ("requirements", _requirements),
    "get_build_sdist_dependencies": ("requirements", _requirements),
    "get_install_dependencies_of_sdist": ("requirements", _requirements),
    "build_sdist": ("a Path", _path),
    "build_wheel": ("a Path or None", _path_or_nothing),
    "update_extra_environ": ("extra_environ of texts", _environ),
    "add_extra_metadata_to_wheels": ("a dict that JSON knows", _facts),
    "build_tag_hook": ("a sequence of texts of letters, digits and dots", _segments),
}
