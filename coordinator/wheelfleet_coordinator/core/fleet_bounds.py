"""What no order of builds can beat: the longest chain of them, and the work there is for the slots there are."""

import math
from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter
from typing import NamedTuple

from wheelfleet_shared.names import BuildId

from .fleet_file import Fleet, Kind
from .simulated_work import Work

_THRESHOLDS = 24


class Bounds(NamedTuple):
    """Seconds. chain: the longest one, each build on the fastest agent that offers its target.

    area: all work on all slots that may do it. staggered: the same, where builds cannot start before what
    they need, nor end later than what needs them.
    """

    chain_seconds: float
    area: float
    staggered: float
    chain: tuple[BuildId, ...]

    @property
    def best(self) -> float:
        """The highest."""
        return max(self.chain_seconds, self.area, self.staggered)


def bounds(work: Work, fleet: Fleet) -> Bounds:
    """The bounds of a work without rings. Cost: linear in its waits, and its size for each pair of thresholds."""
    quickest = {build: work.seconds[build] / _fastest(work, fleet, build) for build in work.needs}
    order = tuple(TopologicalSorter(work.needs).static_order())
    heads = _longest(order, work.needs, quickest)
    tails = _longest(reversed(order), _reversed(work.needs), quickest)
    last = max(order, key=lambda build: heads[build] + quickest[build], default=None)
    groups = _groups(work, fleet)
    return Bounds(
        chain_seconds=heads[last] + quickest[last] if last is not None else 0.0,
        area=max((_area(work, builds, kinds) for builds, kinds in groups), default=0.0),
        staggered=max((_staggered(work, builds, kinds, heads, tails) for builds, kinds in groups), default=0.0),
        chain=_chain(last, work.needs, heads, quickest),
    )


def _host(work: Work, build: BuildId) -> str:
    plan = work.candidacies[build].build.plan
    return plan.host if plan is not None else ""


def _fastest(work: Work, fleet: Fleet, build: BuildId) -> float:
    host = _host(work, build)
    return max((kind.speed for kind in fleet.agents if host in kind.targets), default=1.0)


def _longest(
    order: Iterable[BuildId], before: Mapping[BuildId, Iterable[BuildId]], seconds: Mapping[BuildId, float]
) -> dict[BuildId, float]:
    """Of each build the seconds of the longest chain before it."""
    found: dict[BuildId, float] = {}
    for build in order:
        found[build] = max((found[other] + seconds[other] for other in before.get(build, ())), default=0.0)
    return found


def _reversed(needs: Mapping[BuildId, Iterable[BuildId]]) -> dict[BuildId, list[BuildId]]:
    found: dict[BuildId, list[BuildId]] = {}
    for build, before in needs.items():
        for other in before:
            found.setdefault(other, []).append(build)
    return found


def _chain(
    last: BuildId | None,
    needs: Mapping[BuildId, Iterable[BuildId]],
    heads: Mapping[BuildId, float],
    seconds: Mapping[BuildId, float],
) -> tuple[BuildId, ...]:
    found: list[BuildId] = []
    while last is not None:
        found.insert(0, last)
        last = max(needs[last], key=lambda build: (heads[build] + seconds[build], build), default=None)
    return tuple(found)


def _groups(work: Work, fleet: Fleet) -> list[tuple[list[BuildId], list[Kind]]]:
    """The builds of each target with the agents that offer it, and all builds with all agents."""
    hosts = dict.fromkeys(_host(work, build) for build in work.needs)
    found = [
        (
            [build for build in work.needs if _host(work, build) == host],
            [kind for kind in fleet.agents if host in kind.targets],
        )
        for host in hosts
    ]
    return [*found, (list(work.needs), list(fleet.agents))]


def _capacity(kinds: Iterable[Kind]) -> float:
    return sum(kind.count * kind.slots * kind.speed for kind in kinds) or math.inf


def _area(work: Work, builds: Iterable[BuildId], kinds: Iterable[Kind]) -> float:
    return sum(work.seconds[build] for build in builds) / _capacity(kinds)


def _staggered(
    work: Work, builds: list[BuildId], kinds: list[Kind], heads: Mapping[BuildId, float], tails: Mapping[BuildId, float]
) -> float:
    """The best of: the earliest start of some builds, their work, and the shortest rest after them."""
    capacity, found = _capacity(kinds), 0.0
    for head in _some(heads[build] for build in builds):
        later = [build for build in builds if heads[build] >= head]
        for tail in _some(tails[build] for build in later):
            inner = sum(work.seconds[build] for build in later if tails[build] >= tail)
            found = max(found, head + inner / capacity + tail)
    return found


def _some(values: Iterable[float]) -> list[float]:
    """At most so many of the distinct values, spread evenly; any choice of them is a valid one."""
    distinct = sorted(set(values))
    step = max(1, len(distinct) // _THRESHOLDS)
    return distinct[::step]
