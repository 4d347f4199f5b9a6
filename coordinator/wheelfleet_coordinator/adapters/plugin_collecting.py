"""Plugins of the user's, as source files: those that are installed beside us, and those in a folder.

Nothing of them is imported: what they do is for agents, in a process without credentials.
"""

import sys
from collections.abc import Iterator, Mapping
from importlib.machinery import PathFinder
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final

import msgspec

from wheelfleet_shared.core.plugins import HOOKS_GROUP, OVERRIDES_GROUP
from wheelfleet_shared.errors import InputError

from ..core.plugin_files import FOLDER, INSTALLED, LOCAL, EntryPoint
from ..core.settings_file import read_global

_GROUPS: Final = (OVERRIDES_GROUP, HOOKS_GROUP)
_LARGEST: Final = 1 << 20
"""Bytes of one file; larger ones are data that a plugin should not bring."""
_BINARY: Final = (".pyc", ".pyo", ".so", ".pyd")


def collect_plugins(folder: Path | None, settings: bytes) -> dict[str, bytes]:
    """The files of all plugins, by the names under which they travel with a run.

    folder: of modules that are not installed, or None. settings: the text of the global settings, which may
    name a module. Of an installed plugin all files of its top-level package are taken, wherever parts of it lie.
    """
    entries = list(_installed())
    named = {entry.module for entry in entries} | _named_by(settings)
    tops = sorted({module.partition(".")[0] for module in named} - {LOCAL})
    files = {f"{FOLDER}{path}": data for top in tops for path, data in _package(top).items()}
    if folder is not None:
        files |= {f"{FOLDER}{LOCAL}/{path}": data for path, data in _files(folder)}
    if entries:
        files[INSTALLED] = msgspec.json.encode(entries)
    return files


def _installed() -> Iterator[EntryPoint]:
    """In the order of their names, so that equal installations give equal runs."""
    for group in _GROUPS:
        for point in sorted(entry_points(group=group), key=lambda found: (found.name, found.value)):
            yield EntryPoint(group, point.name, point.module, point.attr or "")


def _named_by(settings: bytes) -> set[str]:
    """The module of the build tag hook; settings that cannot be read are refused elsewhere."""
    try:
        text = read_global(settings, "settings.yaml").settings.wheels.build_tag_hook
    except InputError:
        return set()
    return {text.partition(":")[0]} if text else set()


def _package(top: str) -> Mapping[str, bytes]:
    """The files of a module or package by path; none where it is not installed, or has no source.

    A namespace package may lie in several places: the first that has a file wins, as for imports.
    """
    found = PathFinder.find_spec(top, sys.path)
    if found is None:
        return {}
    if found.submodule_search_locations is None:
        path = Path(found.origin or "")
        return {path.name: path.read_bytes()} if path.suffix == ".py" and path.is_file() else {}
    files: dict[str, bytes] = {}
    for place in found.submodule_search_locations:
        files = {**{f"{top}/{path}": data for path, data in _files(Path(place))}, **files}
    return files


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """The files below the folder that may travel, hidden and compiled ones left out, by their names."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        hidden = any(part.startswith(".") or part == "__pycache__" for part in parts)
        if path.is_file() and not hidden and path.suffix not in _BINARY and path.stat().st_size <= _LARGEST:
            yield path.relative_to(folder).as_posix(), _read(path)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}", "correct its rights") from error
