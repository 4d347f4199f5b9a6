"""The queued builds in the order in which agents get them, kept for a moment.

To rank all of them at every ask would cost the square of their number over a run.
"""

import math
from collections.abc import Iterator
from typing import Final

import msgspec

from wheelfleet_shared.core.build import Status
from wheelfleet_shared.ports import Clock

from ..core.scheduling import Candidacy, rank
from ..core.standing import lock_is_broken
from .coordinator import State

KEPT: Final = 0.1
"""Seconds for which an order is kept; what is queued meanwhile comes last."""


class Ranking:
    """``best_first`` knows every queued build; the order is at most a tenth of a second old."""

    def __init__(self, state: State, clock: Clock) -> None:
        self._state = state
        self._clock = clock
        self._ranked: list[Candidacy] = []
        self._made_at = -math.inf
        self._through = -1

    def best_first(self) -> Iterator[Candidacy]:
        """Each queued build, as it stands now. One that was passed over may come once more.

        Cost: that of ranking all, if the order is old or was used up, else what is taken.
        """
        if self._clock.monotonic() - self._made_at >= KEPT:
            self._make()
        yield from self._still_queued()
        if self._through < self._state.world.through:
            self._make()
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

    def _make(self) -> None:
        world, walk, _ = self._state
        self._made_at, self._through = self._clock.monotonic(), world.through
        order = {run: place for place, run in enumerate(world.active_runs())}
        found = []
        for build_id in world.by_status[Status.QUEUED]:
            build = world.builds[build_id]
            waiting = sum(walk.waiting_on(*place) for place in walk.places_of(build_id))
            first = min((order[run] for run in build.wanted_by if run in order), default=len(order))
            found.append(Candidacy(build, first, waiting, world.queued_at_sequence.get(build_id, 0)))
        self._ranked = sorted(found, key=rank)
