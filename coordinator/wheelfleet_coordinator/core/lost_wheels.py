"""Published wheels against what lies in the store."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from wheelfleet_shared.core.build import Build
from wheelfleet_shared.core.file import FileStatus, WheelFile
from wheelfleet_shared.core.keys import blob_key
from wheelfleet_shared.names import FileId

from .world import World


class Expected(NamedTuple):
    """Where the blob of a published wheel has to lie, and how large it is in bytes."""

    file: FileId
    key: str
    size: int


def expected_wheels(world: World) -> Iterator[Expected]:
    """Every published wheel. Cost: linear in the files of all indexes."""
    return (found for file in world.files.values() if (found := _expected(file)) is not None)


def expected_of_environment(world: World, build: Build) -> tuple[Expected, ...]:
    """The published wheels among the files that the build's environment was locked to."""
    if build.plan is None or build.lock is None:
        return ()
    index = build.plan.index
    files = (world.file(index, locked.file.file_name) for locked in build.lock.files)
    return tuple(found for file in files if (found := _expected(file)) is not None)


def _expected(file: WheelFile) -> Expected | None:
    if file.status is not FileStatus.PUBLISHED or file.accepted is None:
        return None
    wheel = file.accepted.file
    return Expected(file.id, blob_key(wheel.sha256, wheel.file_name), wheel.size)


def suspects(wheels: Iterator[Expected], sizes: Mapping[str, int]) -> list[Expected]:
    """Wheels that a listing of the store does not show in their size. sizes: key → bytes."""
    return [wheel for wheel in wheels if sizes.get(wheel.key) != wheel.size]


def loss(wheel: Expected, size: int | None) -> str:
    """What is wrong with a wheel's blob of that size, None for no blob; empty where nothing is."""
    if size is None:
        return "the store does not have it any more"
    return f"the store has {size} bytes of {wheel.size}" if size != wheel.size else ""
