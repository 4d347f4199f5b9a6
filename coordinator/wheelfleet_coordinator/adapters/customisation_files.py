"""The user's overrides read from their folders, as they travel with a run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from wheelfleet_shared.core.bundle import Customisation
from wheelfleet_shared.errors import InputError

from .plugin_collecting import collect_plugins

_PLUGINS: Final = Path("overrides", "plugins")
"""Modules of plugins that are not installed; fromager has no such folder."""
LARGEST: Final = 16 << 20
"""Bytes of all files together: a run's inputs are held in memory where they are used."""


class Overrides(msgspec.Struct, frozen=True):
    """Where a user's overrides lie. What is None is looked for below ``overrides/`` and may be missing."""

    settings_file: Path | None = None
    settings_dir: Path | None = None
    patches_dir: Path | None = None


_DEFAULTS: Final = Overrides(
    Path("overrides", "settings.yaml"), Path("overrides", "settings"), Path("overrides", "patches")
)


def read_customisation(overrides: Overrides, variant: str) -> Customisation:
    """The files with their normal names, whatever the folders are called; what they hold is not looked at.

    Plugins are with them: those in ``overrides/plugins`` and those that are installed beside us.

    Raises InputError where a place that was named is not there, or a file cannot be read.
    """
    files: dict[str, bytes] = {}
    file = _place(overrides.settings_file, _DEFAULTS.settings_file, "--settings-file", folder=False)
    if file is not None:
        files["settings.yaml"] = _read(file)
    folders = (
        ("settings", overrides.settings_dir, _DEFAULTS.settings_dir, "--settings-dir"),
        ("patches", overrides.patches_dir, _DEFAULTS.patches_dir, "--patches-dir"),
    )
    for name, given, default, option in folders:
        folder = _place(given, default, option, folder=True)
        if folder is not None:
            files.update((f"{name}/{path.relative_to(folder).as_posix()}", _read(path)) for path in _files(folder))
    files |= collect_plugins(_PLUGINS if _PLUGINS.is_dir() else None, files.get("settings.yaml", b""))
    size = sum(map(len, files.values()))
    if size > LARGEST:
        raise InputError(
            f"the overrides hold {size} bytes, at most {LARGEST} travel with a run", "take out large files"
        )
    return Customisation(variant, files)


def _place(given: Path | None, default: Path | None, option: str, *, folder: bool) -> Path | None:
    """What to read; None where nothing was named and the usual place is empty."""
    path = given if given is not None else default
    if path is not None and (path.is_dir() if folder else path.is_file()):
        return path
    if given is None:
        return None
    what = "folder" if folder else "file"
    raise InputError(f"{option} {given}: there is no such {what}", "correct its name")


def _files(folder: Path) -> Iterator[Path]:
    """The files below the folder, hidden ones left out; in the order of their names."""
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and not hidden and "__pycache__" not in path.parts:
            yield path


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}", "correct its rights") from error
