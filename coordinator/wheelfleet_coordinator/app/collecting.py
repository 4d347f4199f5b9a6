"""Garbage collected: runs forgotten in the log first, then the blobs that nothing leads to any more."""

import asyncio
from typing import Final

from wheelfleet_shared.core import messages as m
from wheelfleet_shared.core.envelope import Aggregate
from wheelfleet_shared.names import BuildId, RunId, SourceId
from wheelfleet_shared.ports import BlobInfo, Blobs

from ..core.decisions import build_aggregate
from ..core.forgetting import (
    Forgetting,
    Reach,
    forget_build,
    forget_run,
    forget_source,
    forgettable,
    new_reach,
    unreached,
)
from ..core.garbage import PREFIXES, is_garbage, referenced
from ..core.world import World
from .committer import Committer

LISTED: Final = 100
"""Collected blobs that an answer names; the sums tell of all."""


class Collector:
    """Answers ``Collect``. Nothing is deleted that the log still promises, so it may stop anywhere."""

    def __init__(self, world: World, committer: Committer, blobs: Blobs) -> None:
        self._world = world
        self._committer = committer
        self._blobs = blobs
        self._active: tuple[int, Reach] = (-1, new_reach())

    async def collect(self, asked: m.Collect, *, now: float) -> m.Text:
        """Old runs are forgotten and blobs that nothing leads to are gone; with ``dry_run`` both are only named.

        now: seconds since the epoch. Cost: one listing of the store, and some digests a node of every
        run that stays. What is written meanwhile is younger than a day and stays.
        """
        runs = forgettable(self._world, now=now, older_than=asked.older_than, keep=asked.keep)
        dropped = unreached(self._world, await self._reach_without(runs), runs)
        if not asked.dry_run:
            await self._forget(dropped)
            dropped = Forgetting()
        seen, garbage = await self._garbage(now, dropped)
        if not asked.dry_run:
            garbage = [info for info in garbage if await self._delete(info)]
        return _told(runs, seen, garbage, dry_run=asked.dry_run)

    async def _reach_without(self, runs: tuple[RunId, ...]) -> Reach:
        left_out = frozenset(runs)
        reach = new_reach()
        for graph in list(self._world.graphs.values()):
            if graph.run not in left_out:
                reach.add(self._world, graph)
                await asyncio.sleep(0)  # others go on between two graphs
        return reach

    async def _forget(self, dropped: Forgetting) -> None:
        """The log says so before anything is deleted; of the runs first, since they lead to the rest."""
        await asyncio.gather(*(self._forget_run(run) for run in sorted(dropped.runs)))
        await asyncio.gather(
            *(self._forget_source(source) for source in sorted(dropped.sources)),
            *(self._forget_build(build) for build in sorted(dropped.builds)),
        )

    async def _forget_run(self, run: RunId) -> None:
        await self._committer.commit(Aggregate("run", run), lambda world: forget_run(world, run))

    async def _forget_source(self, source: SourceId) -> None:
        await self._committer.commit(
            Aggregate("source", source), lambda world: forget_source(world, source, self._reach_of_active())
        )

    async def _forget_build(self, build: BuildId) -> None:
        await self._committer.commit(
            build_aggregate(build), lambda world: forget_build(world, build, self._reach_of_active())
        )

    def _reach_of_active(self) -> Reach:
        """What active runs lead to; made once for all decisions at one place of the log."""
        through, reach = self._active
        if through != self._world.through:
            reach = new_reach()
            for run in self._world.active_runs():
                for graph in self._world.graphs_of(run):
                    reach.add(self._world, graph)
            self._active = (self._world.through, reach)
        return reach

    async def _garbage(self, now: float, dropped: Forgetting) -> tuple[int, list[BlobInfo]]:
        """How many blobs there are, and those to which nothing leads."""
        kept = referenced(self._world, dropped)
        seen, garbage = 0, []
        for prefix in PREFIXES:
            async for info in self._blobs.list(prefix):
                seen += 1
                if is_garbage(self._world, kept, info.key, now - info.modified, dropped):
                    garbage.append(info)
        return seen, garbage

    async def _delete(self, info: BlobInfo) -> bool:
        """Whether the blob is gone: one that was written again since it was listed is wanted by somebody."""
        held = await self._blobs.head(info.key)
        if held is None or held.modified != info.modified:
            return False
        await self._blobs.delete(info.key)
        return True


def _told(runs: tuple[RunId, ...], seen: int, garbage: list[BlobInfo], *, dry_run: bool) -> m.Text:
    size = sum(info.size for info in garbage)
    forgot, removed = ("would forget", "would remove") if dry_run else ("forgot", "removed")
    lines = [f"{forgot} {len(runs)} runs{': ' if runs else ''}{', '.join(runs)}"]
    lines += [f"{removed} {len(garbage)} of {seen} blobs, {size / 2**20:.1f} MiB"]
    lines += [f"  {info.key} ({info.size} bytes)" for info in garbage[:LISTED]]
    data: dict[str, object] = {"runs": list(runs), "blobs": len(garbage), "bytes": size, "seen": seen}
    return m.Text(tuple(lines), {**data, "dry_run": dry_run})
