"""The ``[build-system]`` table of a source tree, read as PEP 517 and 518 mean it."""

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
from packaging.requirements import InvalidRequirement, Requirement

from wheelfleet_shared.core.wheel_metadata import LONGEST_LIST, is_too_long
from wheelfleet_shared.errors import SourceError

DEFAULT_REQUIRES = ("setuptools>=40.8.0",)
DEFAULT_BACKEND = "setuptools.build_meta:__legacy__"
FILE_NAME = "pyproject.toml"

_BACKEND = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*(:[^\W\d]\w*(\.[^\W\d]\w*)*)?")


class BuildSystem(msgspec.Struct, frozen=True):
    """How a source is built; the defaults are those of a source that says nothing.

    requires: requirement texts as written, markers kept, one name possibly several times.
    backend: ``module:object``. backend_path: folders inside the source, looked in first.
    """

    requires: tuple[str, ...] = DEFAULT_REQUIRES
    backend: str = DEFAULT_BACKEND
    backend_path: tuple[str, ...] = ()


def read_build_system(folder: Path) -> BuildSystem:
    """What the folder's pyproject.toml says; without the file, the defaults.

    Raises SourceError, with file and line where there is one, for broken TOML, bad requirements,
    and a backend path that does not lie inside the folder.
    """
    file = folder / FILE_NAME
    if not file.is_file():
        return BuildSystem()
    system = parse_build_system(file.read_bytes())
    inside = folder.resolve()
    for entry in system.backend_path:
        place = (folder / entry).resolve()
        if not place.is_relative_to(inside) or not place.is_dir():
            raise _fault(f"backend-path {entry!r} is no folder inside the source")
    return system


def parse_build_system(data: bytes) -> BuildSystem:
    """The table in the bytes of a pyproject.toml; each missing key is defaulted by itself.

    Raises SourceError with the line.
    """
    text = _decode(data)
    try:
        table: Any = tomllib.loads(text).get("build-system", {})
    except tomllib.TOMLDecodeError as error:
        raise _fault(str(error)) from error
    if not isinstance(table, dict):
        raise _fault("build-system is no table", _line_of(text, "build-system"))
    requires = _texts(table, "requires", DEFAULT_REQUIRES, text)
    if is_too_long(requires):
        raise _fault(
            f"{len(requires)} build requirements are more than {LONGEST_LIST} bytes", _line_of(text, "requires")
        )
    for requirement in requires:
        _check_requirement(requirement, text)
    backend = table.get("build-backend", DEFAULT_BACKEND)
    if not isinstance(backend, str) or not _BACKEND.fullmatch(backend):
        raise _fault(f"build-backend {backend!r} names no object to import", _line_of(text, "build-backend"))
    return BuildSystem(requires, backend, _texts(table, "backend-path", (), text))


def _decode(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise _fault("not UTF-8", data.count(b"\n", 0, error.start) + 1) from error


def _texts(table: dict[str, Any], key: str, default: tuple[str, ...], text: str) -> tuple[str, ...]:
    value = table.get(key, default)
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise _fault(f"{key} is no list of strings", _line_of(text, key))


def _check_requirement(requirement: str, text: str) -> None:
    try:
        Requirement(requirement)
    except InvalidRequirement as error:
        reason = str(error).splitlines()[0]
        raise _fault(f"bad requirement {requirement!r}: {reason}", _line_of(text, requirement)) from error


def _line_of(text: str, needle: str) -> int:
    """The first line that holds the needle, counted from 1; 0 where an escape hides it."""
    return next((number for number, line in enumerate(text.splitlines(), 1) if needle in line), 0)


def _fault(reason: str, line: int = 0) -> SourceError:
    where = f"{FILE_NAME}, line {line}" if line else FILE_NAME
    return SourceError(f"{where}: {reason}", "repair it with a patch or project_override")
