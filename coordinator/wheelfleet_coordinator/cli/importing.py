"""What ``import-wheels`` does."""

import asyncio
import base64
import hashlib
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.bundle import Entry, RunInputs
from wheelfleet_shared.core.wheel_check import read_wheel_name
from wheelfleet_shared.core.wheel_record import read_record
from wheelfleet_shared.errors import InputError, PolicyError
from wheelfleet_shared.names import NodeKey

from ..app.wheel_files import WheelContents, read_wheel
from .connection import is_embedded, linked
from .finishing import finish
from .inputs import index_name
from .reading import tell
from .settings import Settings
from .submission import choose_targets, offered, store_inputs, submit

_FOLDERS: Final = ("downloads", "prebuilt", "build")
"""Of a wheels-repo; of two wheels with one name the first counts."""
_CHUNK: Final = 2**20


class _Wheel(NamedTuple):
    path: Path
    node: NodeKey
    sha256: str
    contents: WheelContents


def import_folder(settings: Settings, folder: Path, collection: str, targets: tuple[str, ...]) -> int:
    """The exit status: 0 where every wheel of the folder is in the index, with these bytes.

    Raises InputError, naming each wheel that is none, before anything is queued.
    """
    if not is_embedded(settings):
        raise InputError(
            "this cluster's coordinator does not read folders of this machine",
            f"`wheelfleet wheel-server` serves {folder}; name its URL with -c after bootstrap or build-sequence",
        )
    wheels = _checked(folder)
    for wheel in wheels:
        if wheel.contents.lists is None:
            tell(f"{wheel.path.name} does not tell what it took to build it: it serves where settings say pre_built")
    return asyncio.run(_import(settings, wheels, collection, targets))


def _checked(folder: Path) -> list[_Wheel]:
    paths = _wheels_in(folder)
    if not paths:
        raise InputError(f"there are no wheels in {folder}", "give a wheels-repo, or a folder of wheels")
    found, faults = list[_Wheel](), list[str]()
    for path in paths:
        try:
            found.append(_read(path))
        except PolicyError as error:
            faults.append(f"{path}: {error.what}")
    if faults:
        raise InputError("\n".join(faults), "take these files away, or get them anew; nothing was imported")
    return found


def _wheels_in(folder: Path) -> list[Path]:
    places = [place for name in _FOLDERS if (place := folder / name).is_dir()] or [folder]
    found: dict[str, Path] = {}
    for place in places:
        for path in sorted(place.glob("*.whl")):
            found.setdefault(path.name, path.absolute())
    return [found[name] for name in sorted(found)]


def _read(path: Path) -> _Wheel:
    """The wheel with all that it says of itself checked, each member by its digest in RECORD; raises PolicyError."""
    name = read_wheel_name(path.name)
    node = NodeKey(name.name, str(name.version))
    contents = read_wheel(path, node)
    with zipfile.ZipFile(path) as archive:
        for entry in read_record(archive.read(f"{contents.folder}/RECORD")):
            if entry.digest and not _has(archive, entry.name, entry.digest):
                raise PolicyError(f"{entry.name} is not what RECORD says")
    with path.open("rb") as opened:
        return _Wheel(path, node, hashlib.file_digest(opened, "sha256").hexdigest(), contents)


def _has(archive: zipfile.ZipFile, member: str, digest: str) -> bool:
    algorithm, _, value = digest.partition("=")
    hashed = hashlib.new(algorithm)
    try:
        with archive.open(member) as opened:
            while chunk := opened.read(_CHUNK):
                hashed.update(chunk)
    except (zipfile.BadZipFile, KeyError) as error:
        raise PolicyError(f"{member} cannot be read: {error}") from error
    return base64.urlsafe_b64encode(hashed.digest()).rstrip(b"=").decode() == value.rstrip("=")


async def _import(settings: Settings, wheels: Sequence[_Wheel], collection: str, targets: tuple[str, ...]) -> int:
    async with linked(settings) as link:
        chosen = choose_targets(targets, (await offered(link)).targets)
        index = index_name(collection, settings.variant)
        status = 0
        for part in _one_of_a_version(wheels):
            bundle = await store_inputs(link, RunInputs(entries=tuple(map(_entry, part))))
            requirements = tuple(f"{wheel.node.name}=={wheel.node.version}" for wheel in part)
            options = e.RunOptions(mode="entries", imports=True, skip_constraints=True)
            run = await submit(link, index, chosen, requirements, options, bundle)
            status = await finish(link, run, None, settings, ()) or status
    return status


def _one_of_a_version(wheels: Iterable[_Wheel]) -> list[list[_Wheel]]:
    """A run has one file a version, so wheels of one version for several platforms go into several runs."""
    parts: list[dict[NodeKey, _Wheel]] = []
    for wheel in wheels:
        free = next((part for part in parts if wheel.node not in part), None)
        if free is None:
            free = {}
            parts.append(free)
        free[wheel.node] = wheel
    return [list(part.values()) for part in parts]


def _entry(wheel: _Wheel) -> Entry:
    return Entry(wheel.node.name, wheel.node.version, wheel.path.as_uri(), wheel.sha256, prebuilt=True)
