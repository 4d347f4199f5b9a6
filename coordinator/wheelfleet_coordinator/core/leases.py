"""Silence counted on one clock of ours: which claims have lost their owner.

Times are monotonic seconds of the coordinator that counts. Nothing is carried over a restart, a
change of leader or a reconnect: silence is counted afresh, so an owner never pays for our absence.
"""

from collections.abc import Iterable

import msgspec

from wheelfleet_shared.core.build import Build
from wheelfleet_shared.names import BuildId


class Lost(msgspec.Struct, frozen=True):
    """A claim whose owner was silent for too long."""

    build: BuildId
    fence: int
    silent: float


class LeaseBook:
    """When each agent was last heard, and since when each claim is watched. ``ttl`` in seconds."""

    def __init__(self, ttl: float) -> None:
        self._ttl = ttl
        self._heard: dict[tuple[str, str], float] = {}
        self._watched: dict[int, float] = {}

    def reset(self) -> None:
        """Count every silence from the next look on."""
        self._heard.clear()
        self._watched.clear()

    def heard(self, agent: str, incarnation: str, now: float) -> None:
        """An agent's process gave a sign of life."""
        self._heard[agent, incarnation] = now

    def last_heard(self, agent: str, incarnation: str) -> float | None:
        """When this process was last heard, or None."""
        return self._heard.get((agent, incarnation))

    def lost(self, claimed: Iterable[Build], now: float) -> list[Lost]:
        """The claims whose owners were silent for longer than the lease.

        Cost: O(claims); forgets claims that ended.
        """
        watched: dict[int, float] = {}
        found = []
        for build in claimed:
            since = self._watched.get(build.fence, now)
            watched[build.fence] = since
            last = max(since, self._heard.get((build.owner, build.owner_incarnation), since))
            if now - last > self._ttl:
                found.append(Lost(build.id, build.fence, now - last))
        self._watched = watched
        return found
