"""The queued builds in the order in which agents get them, kept up as builds are queued.

To rank all of them at every ask would cost the square of their number over a run.
"""

import math
from bisect import insort
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from wheelfleet_shared.core.build import Build, Status
from wheelfleet_shared.names import BuildId
from wheelfleet_shared.ports import Clock

from ..core.critical_paths import CriticalPaths
from ..core.scheduling import Candidacy, age_of, rank
from ..core.standing import lock_is_broken
from .coordinator import State

KEPT: Final = 1.0
"""Seconds for which an order is kept at least; what is queued meanwhile gets its place in it at once."""
SHARE: Final = 0.02
"""Of the time that may go into ranking everything anew."""
_NO_RUN: Final = 1 << 62


class Ranking:
    """``best_first`` knows every queued build. What was learnt of those ranked before counts within seconds."""

    def __init__(self, state: State, clock: Clock) -> None:
        self._state = state
        self._clock = clock
        self._paths = CriticalPaths(state.world, state.walk)
        # (age, run) → its builds in order: the order of the runs changes with every slot that one of them gets.
        self._groups: dict[tuple[int, int], list[Candidacy]] = {}
        self._due = -math.inf
        self._through = -1

    def best_first(self, held: Iterable[Build] = ()) -> Iterator[Candidacy]:
        """Each queued build, as it stands now, in the order of ``rank``; one that was queued anew may come twice.

        held: what agents have already.

        Cost: that of what was queued since the last call, and of what is taken; now and then that of ranking all.
        """
        now = self._clock.monotonic()
        if now >= self._due:
            self._rank_all()
            self._due = now + max(KEPT, (self._clock.monotonic() - now) / SHARE)
        elif self._through < self._state.world.through:
            self._rank_new()
        shares = Counter(map(self._run_of, held))
        for group in sorted(self._groups.values(), key=lambda group: rank(group[0], shares)[:3]):
            yield from self._still_queued(group)

    def _still_queued(self, group: Iterable[Candidacy]) -> Iterator[Candidacy]:
        builds = self._state.world.builds
        for candidacy in group:
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
        self._groups = {}
        for candidacy in sorted(map(self._candidacy, world.by_status[Status.QUEUED]), key=rank):
            self._groups.setdefault((candidacy.age, candidacy.run), []).append(candidacy)
        self._through = world.through

    def _rank_new(self) -> None:
        """What was queued since stands last among what is queued."""
        world = self._state.world
        self._paths.refresh()
        for found in reversed(world.by_status[Status.QUEUED]):
            if world.queued_at_sequence.get(found, 0) <= self._through:
                break
            candidacy = self._candidacy(found)
            insort(self._groups.setdefault((candidacy.age, candidacy.run), []), candidacy, key=rank)
        self._through = world.through

    def _candidacy(self, found: BuildId) -> Candidacy:
        world = self._state.world
        build = world.builds[found]
        age = age_of(build, self._clock.now() - world.queued_at[found])
        return Candidacy(build, self._run_of(build), self._paths.seconds(build), world.queued_at_sequence[found], age)

    def _run_of(self, build: Build) -> int:
        """The submission of the earliest active run that wants the build."""
        world = self._state.world
        active = (run for run in build.wanted_by if run in world.runs and world.runs[run].finished is None)
        return min((world.submitted_at_sequence.get(run, _NO_RUN) for run in active), default=_NO_RUN)
