"""Which blobs nothing refers to any more."""

from collections.abc import Set as AbstractSet

from wheelfleet_shared.core.file import FileStatus
from wheelfleet_shared.core.keys import blob_key, bundle_key, metadata_key, pinned_page_key, provenance_key, source_key
from wheelfleet_shared.names import Sha256

from .world import World

PREFIXES = ("sources/", "blobs/", "bundles/", "pages/", "logs/", "staging/")
"""Where blobs may be collected; index pages are written anew, never collected."""
YOUNGEST = 86_400.0
"""Seconds that a blob is left alone after it was written: an event that names it may be on its way."""


def referenced(world: World) -> set[str]:
    """Every content key that an event still leads to. Cost: linear in the world."""
    found: set[str] = set()
    for stored in world.stored.values():
        found.add(source_key(stored.sha256, stored.file_name))
    for build in world.builds.values():
        if build.source is not None:
            found.add(source_key(build.source.sdist.sha256, build.source.sdist.file_name))
        if build.wheel is not None:
            found.add(blob_key(build.wheel.wheel.sha256, build.wheel.wheel.file_name))
    for file in world.files.values():
        if file.accepted is not None and file.status is not FileStatus.GONE:
            key = blob_key(file.accepted.file.sha256, file.accepted.file.file_name)
            found.update((key, metadata_key(key), provenance_key(key)))
    for run in world.runs.values():
        if run.submitted is not None and run.submitted.bundle is not None:
            found.add(bundle_key(run.submitted.bundle))
        found.update(pinned_page_key(Sha256(listed.page)) for listed in run.listed.values() if listed.page)
    return found


def is_garbage(world: World, kept: AbstractSet[str], key: str, age: float) -> bool:
    """Whether nothing leads to the blob. kept: what ``referenced`` gave. age: seconds since it was written."""
    if age < YOUNGEST:
        return False
    if key.startswith("logs/"):
        return key.split("/")[1] not in world.builds
    return key not in kept
