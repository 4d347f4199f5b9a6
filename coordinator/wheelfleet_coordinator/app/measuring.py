"""What a coordinator tells those who watch over it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from wheelfleet_shared.core import messages as m
from wheelfleet_shared.errors import WheelfleetError
from wheelfleet_shared.ports import Blobs, Clock

from ..adapters.metrics_text import Latencies, metrics_text
from ..core.figures import figures
from ..core.leases import LeaseBook
from ..core.run_rows import agent_rows, slot_rows
from .committer import Committer
from .coordinator import State

ANSWER_WITHIN: Final = 5.0
"""Seconds after which a server counts as down."""
_PROBED: Final = "blobs/health"
"""A key that nobody writes: that it is not there is an answer."""


class Measuring:
    """Figures when asked, nothing in between. ping: one round trip to NATS, raises where there is none."""

    def __init__(
        self,
        state: State,
        heartbeats: dict[str, m.Heartbeat],
        leases: LeaseBook,
        committer: Committer,
        blobs: Blobs,
        clock: Clock,
        *,
        ping: Callable[[], Awaitable[None]],
        leading: Callable[[], bool],
    ) -> None:
        self._state = state
        self._heartbeats = heartbeats
        self._leases = leases
        self._committer = committer
        self._blobs = blobs
        self._clock = clock
        self._ping = ping
        self._leading = leading

    async def text(self) -> bytes:
        """The figures of now, for Prometheus. Cost: a round trip to each server."""
        nats, store = await asyncio.gather(self._seconds(self._ping()), self._seconds(self._blobs.head(_PROBED)))
        slots = slot_rows(self._state.world, self._heartbeats, self._clock.now())
        rows = agent_rows(self._state.world, slots, self._leases.last_heard, self._clock.monotonic())
        found = figures(self._state.world, rows)
        latencies = Latencies(nats, store)
        return metrics_text(found, latencies, conflicts=self._committer.conflicts, leading=self._leading())

    async def _seconds(self, trip: Awaitable[object]) -> float | None:
        began = self._clock.monotonic()
        try:
            await asyncio.wait_for(trip, ANSWER_WITHIN)
        except (WheelfleetError, OSError, TimeoutError):
            return None
        return self._clock.monotonic() - began
