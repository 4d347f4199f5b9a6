"""The queued builds in the order in which agents get them, kept up as builds are queued.

To rank all of them at every ask would cost the square of their number over a run.
"""

import math
from bisect import insort
from collections.abc import Iterator
from typing import Final

import msgspec

from wheelfleet_shared.core.build import Build, Status
from wheelfleet_shared.names import BuildId, RunId
from wheelfleet_shared.ports import Clock

from ..core.critical_paths import CriticalPaths
from ..core.scheduling import Candidacy, rank
from ..core.standing import lock_is_broken
from .coordinator import State

KEPT: Final = 1.0
"""Seconds for which an order is kept at least; what is queued meanwhile gets its place in it at once."""
SHARE: Final = 0.02
"""Of the time that may go into ranking everything anew."""


class Ranking:
    """``best_first`` knows every queued build. What was learnt of those ranked before counts within seconds."""

    def __init__(self, state: State, clock: Clock) -> None:
        self._state = state
        self._clock = clock
        self._paths = CriticalPaths(state.world, state.walk)
        self._ranked: list[Candidacy] = []
        self._due = -math.inf
        self._through = -1

    def best_first(self) -> Iterator[Candidacy]:
        """Each queued build, as it stands now.

        Cost: that of what was queued since the last call, and of what is taken; now and then that of ranking all.
        """
        now = self._clock.monotonic()
        if now >= self._due:
            self._rank_all()
            self._due = now + max(KEPT, (self._clock.monotonic() - now) / SHARE)
        elif self._through < self._state.world.through:
            self._rank_new()
        yield from self._still_queued()

    def _still_queued(self) -> Iterator[Candidacy]:
        builds = self._state.world.builds
        for candidacy in self._ranked:
            build = builds[candidacy.build.id]
            if lock_is_broken(self._state.world, build):
                continue
            if build is candidacy.build:
                yield candidacy
            elif build.status is Status.QUEUED:
                yield msgspec.structs.replace(candidacy, build=build)

    def _rank_all(self) -> None:
        world = self._state.world
        self._paths.refresh()
        order = self._order()
        self._ranked = sorted((self._candidacy(found, order) for found in world.by_status[Status.QUEUED]), key=rank)
        self._through = world.through

    def _rank_new(self) -> None:
        """What was queued since stands last among what is queued."""
        world = self._state.world
        self._paths.refresh()
        order = self._order()
        for found in reversed(world.by_status[Status.QUEUED]):
            if world.queued_at_sequence.get(found, 0) <= self._through:
                break
            insort(self._ranked, self._candidacy(found, order), key=rank)
        self._through = world.through

    def _order(self) -> dict[RunId, int]:
        return {run: place for place, run in enumerate(self._state.world.active_runs())}

    def _candidacy(self, found: BuildId, order: dict[RunId, int]) -> Candidacy:
        world = self._state.world
        build: Build = world.builds[found]
        first = min((order[run] for run in build.wanted_by if run in order), default=len(order))
        return Candidacy(build, first, self._paths.seconds(build), world.queued_at_sequence.get(found, 0))
