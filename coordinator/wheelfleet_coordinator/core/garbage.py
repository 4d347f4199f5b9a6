"""Which blobs nothing refers to any more."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from wheelfleet_shared.core.file import FileStatus
from wheelfleet_shared.core.keys import blob_key, bundle_key, metadata_key, pinned_page_key, provenance_key, source_key
from wheelfleet_shared.names import BuildId, Sha256

from .forgetting import Forgetting
from .world import World

PREFIXES = ("sources/", "blobs/", "bundles/", "pages/", "logs/", "staging/")
"""Where blobs may be collected; index pages are written anew, never collected."""
YOUNGEST = 86_400.0
"""Seconds that a blob is left alone after it was written: an event that names it may be on its way."""
NOTHING = Forgetting()


def referenced(world: World, dropped: Forgetting = NOTHING) -> set[str]:
    """Every content key that an event still leads to, were ``dropped`` forgotten. Cost: linear in the world."""
    keys = (_of_sources(world, dropped), _of_builds(world, dropped), _of_files(world), _of_runs(world, dropped))
    return {key for part in keys for key in part}


def _of_sources(world: World, dropped: Forgetting) -> Iterator[str]:
    for source in world.sources.values():
        if source.fetched is not None and source.id not in dropped.sources:
            yield source_key(source.fetched.file.sha256, source.fetched.file.file_name)


def _of_builds(world: World, dropped: Forgetting) -> Iterator[str]:
    for build in world.builds.values():
        if build.forgotten or build.id in dropped.builds:
            continue
        if build.plan is not None:
            digests = (build.plan.preparation, build.plan.recipe, build.plan.hooks)
            yield from (bundle_key(Sha256(digest)) for digest in digests if digest)
        if build.source is not None:
            yield source_key(build.source.sdist.sha256, build.source.sdist.file_name)
        if build.wheel is not None:
            yield blob_key(build.wheel.wheel.sha256, build.wheel.wheel.file_name)
            if build.wheel.sdist is not None:
                yield source_key(build.wheel.sdist.sha256, build.wheel.sdist.file_name)


def _of_files(world: World) -> Iterator[str]:
    for file in world.files.values():
        if file.accepted is not None and file.status is not FileStatus.GONE:
            key = blob_key(file.accepted.file.sha256, file.accepted.file.file_name)
            yield from (key, metadata_key(key), provenance_key(key))


def _of_runs(world: World, dropped: Forgetting) -> Iterator[str]:
    for run in world.runs.values():
        if run.id in dropped.runs:
            continue
        if run.submitted is not None and run.submitted.bundle is not None:
            yield bundle_key(run.submitted.bundle)
        yield from (pinned_page_key(Sha256(listed.page)) for listed in run.listed.values() if listed.page)


def is_garbage(world: World, kept: AbstractSet[str], key: str, age: float, dropped: Forgetting = NOTHING) -> bool:
    """Whether nothing leads to the blob. kept: what ``referenced`` gave. age: seconds since it was written."""
    if age < YOUNGEST:
        return False
    if key.startswith("logs/"):
        build = world.builds.get(BuildId(key.split("/")[1]))
        return build is None or build.forgotten or build.id in dropped.builds
    return key not in kept
