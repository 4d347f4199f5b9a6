"""Answers that need the object store: logs of attempts, and what a shell needs."""

from typing import Final

from wheelfleet_shared.core import messages as m
from wheelfleet_shared.core.build import Status
from wheelfleet_shared.core.keys import log_key
from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import BuildId, RunId
from wheelfleet_shared.ports import Blobs

from ..core.run_nodes import NodeBuild, builds_of_name
from ..core.work import work_for
from ..core.world import World

LARGEST_BUNDLE: Final = 256 * 2**20
"""Bytes that the inputs of a run may have."""


async def logs_of(world: World, blobs: Blobs, run: RunId, name: str, expires: int) -> m.LogList:
    """Every attempt of a distribution's builds that left a log, and the one under way; oldest first a build.

    Raises InputError where the run has no such distribution.
    """
    rows: list[m.LogRow] = []
    for found in builds_of_name(world, run, name):
        build = world.build(found.build)
        fences = await _stored_fences(blobs, found.build)
        status = str(build.status)
        urls = ((fence, blobs.sign_get(log_key(found.build, fence), expires=expires)) for fence in fences)
        rows.extend(_log_row(found, fence, status, url) for fence, url in urls)
        if build.status is Status.CLAIMED and build.fence not in fences:
            rows.append(_log_row(found, build.fence, status, ""))
    return m.LogList(tuple(rows))


async def _stored_fences(blobs: Blobs, build: BuildId) -> list[int]:
    prefix = f"logs/{build}/"
    tails = [info.key.removeprefix(prefix) async for info in blobs.list(prefix)]
    return sorted(int(tail) for tail in tails if tail.isdecimal())


def _log_row(found: NodeBuild, fence: int, status: str, url: str) -> m.LogRow:
    return m.LogRow(str(found.node), found.goal, found.build, fence, status, url)


def work_of_shell(world: World, blobs: Blobs, run: RunId, name: str, expires: int) -> m.Work:
    """What the last attempt of the distribution's result was given, with fresh URLs.

    Raises InputError where there is no such distribution, or its environment was never locked.
    """
    for found in builds_of_name(world, run, name):
        build = world.build(found.build)
        if found.goal == "source":
            continue
        work = work_for(world, build, 1, lambda key: blobs.sign_get(key, expires=expires))
        if work is not None:
            return work
    raise InputError(
        f"no build of {name} in run {run} has had an environment yet",
        f"`wheelfleet explain {run} {name}` says what it waits for",
    )
