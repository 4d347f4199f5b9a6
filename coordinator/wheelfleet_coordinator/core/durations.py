"""How long builds take, learnt from those that were made: by distribution, else by what is expected of it.

Orders made from such guesses are nearly as good as from the truth: it is enough to know what takes long.
"""

import math
from typing import Final

from wheelfleet_shared.core.build import Build
from wheelfleet_shared.core.events import Expectation

from .estimate import PRIOR, PRIOR_WEIGHT

SOURCE_SECONDS: Final = 0.5
"""To prepare a source: about the same for all but the very large."""
_LEAST: Final = 0.05
_REMEMBERED: Final = 3
"""Builds of a distribution that its mean mostly consists of: newer versions may take another time."""
_SPEED_WEIGHT: Final = 2.0
"""Comparisons that the guess of an ordinary speed counts for."""


class Durations:
    """A mutable projection. learnt: builds that it learnt from.

    Seconds are those of an agent of speed 1; an agent of speed 2 needs half of them.
    """

    def __init__(self) -> None:
        self.learnt = 0
        self._named: dict[str, tuple[float, int, str]] = {}
        self._sums: dict[Expectation, tuple[float, int]] = {}
        self._ratios: dict[str, tuple[float, int]] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Durations) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]

    def note(self, build: Build) -> None:
        """Learn from a build that succeeded; what says nothing of a build's time is passed over."""
        made = build.wheel or build.metadata
        plan = build.plan
        if plan is None or plan.goal == "source" or made is None or made.resources.wall <= 0:
            return
        self.learnt += 1
        self._learn(plan.node.name, plan.expectation, build.tried_by, max(made.resources.wall, _LEAST))

    def _learn(self, name: str, expectation: Expectation, maker: str, wall: float) -> None:
        known = self._named.get(name)
        if known is not None and known[2] != maker:
            total, count = self._ratios.get(maker, (0.0, 0))
            self._ratios[maker] = (total + math.log(known[0] / wall), count + 1)
        seconds = wall * self.speed(maker)
        mean, seen, _ = known or (seconds, 0, maker)
        seen += 1
        self._named[name] = (mean + (seconds - mean) / min(seen, _REMEMBERED), seen, maker)
        total, count = self._sums.get(expectation, (0.0, 0))
        self._sums[expectation] = (total + seconds, count + 1)

    def seconds(self, name: str, expectation: Expectation) -> float:
        """What a build is expected to take: as any version of it took before, else as others of its kind."""
        known = self._named.get(name)
        if known is not None:
            return known[0]
        total, count = self._sums.get(expectation, (0.0, 0))
        return (total + PRIOR[expectation] * PRIOR_WEIGHT) / (count + PRIOR_WEIGHT)

    def of(self, build: Build) -> float:
        """What a build is expected to take; 0 of one that was never planned."""
        if build.plan is None:
            return 0.0
        if build.plan.goal == "source":
            return SOURCE_SECONDS
        return self.seconds(build.plan.node.name, build.plan.expectation)

    @property
    def unlike(self) -> bool:
        """Whether agents were compared at all."""
        return bool(self._ratios)

    def speed(self, agent: str) -> float:
        """How fast an agent is, against those that built the same distributions; 1 while that is not known."""
        total, count = self._ratios.get(agent, (0.0, 0))
        return math.exp(total / (count + _SPEED_WEIGHT))
