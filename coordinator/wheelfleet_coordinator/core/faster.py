"""Whether a build is better left to a faster agent, busy as it may be: it would be done there earlier."""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from wheelfleet_shared.core.build import Build
from wheelfleet_shared.core.messages import Ask
from wheelfleet_shared.core.run import Agent

GAIN: Final = 0.5
"""Seconds by which the end must come earlier: guesses are not better than that."""
AT_LEAST: Final = 1.1
"""Times as fast; agents that differ less are alike."""


class SlotAhead(NamedTuple):
    """A slot of an agent. speed: of that agent; free_in: seconds until the slot is free."""

    agent: Agent
    ask: Ask
    speed: float
    free_in: float


def left_of(expected: float, running: float) -> float:
    """Seconds that a build still runs; one that has run longer than was expected may do so for half as long again."""
    return expected - running if running < expected else running / 2


class Faster:
    """The slots of faster agents, as one ask of an agent sees them; what is left to one of them keeps it busy.

    may: whether that slot's agent may have the build. seconds: what a build takes at speed 1.
    """

    def __init__(
        self,
        agent: str,
        speed: float,
        slots: Iterable[SlotAhead],
        seconds: Callable[[Build], float],
        may: Callable[[Build, SlotAhead], bool],
    ) -> None:
        self._speed = speed
        self._seconds = seconds
        self._may = may
        self._slots = [slot for slot in slots if slot.agent.id != agent and slot.speed >= speed * AT_LEAST]

    def take(self, build: Build) -> str:
        """The agent to which the build is left, since it ends it earlier; empty where none does."""
        if not self._slots:
            return ""
        seconds = self._seconds(build)
        here = seconds / self._speed
        fitting = [slot for slot in self._slots if slot.free_in + seconds / slot.speed + GAIN < here]
        fitting = [slot for slot in fitting if self._may(build, slot)]
        if not fitting:
            return ""
        best = min(fitting, key=lambda slot: slot.free_in + seconds / slot.speed)
        place = self._slots.index(best)
        self._slots[place] = best._replace(free_in=best.free_in + seconds / best.speed)
        return best.agent.id
