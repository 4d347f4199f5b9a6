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
    """When each agent was last heard and what it held, and since when each claim is watched.

    An owner keeps a claim by naming its fence: that its process lives says nothing of a claim which
    that process does not know it has, or whose result it could not report. ``ttl`` in seconds.
    """

    def __init__(self, ttl: float) -> None:
        self._ttl = ttl
        self._heard: dict[tuple[str, str], float] = {}
        self._named: dict[tuple[str, str, int], float] = {}
        self._watched: dict[int, float] = {}

    def reset(self) -> None:
        """Count every silence from the next look on."""
        self._heard.clear()
        self._named.clear()
        self._watched.clear()

    def heard(self, agent: str, incarnation: str, now: float, fences: Iterable[int] = ()) -> None:
        """An agent's process gave a sign of life, and named the claims that it holds."""
        self._heard[agent, incarnation] = now
        for fence in fences:
            self._named[agent, incarnation, fence] = now

    def last_heard(self, agent: str, incarnation: str) -> float | None:
        """When this process was last heard, or None."""
        return self._heard.get((agent, incarnation))

    def lost(self, claimed: Iterable[Build], now: float) -> list[Lost]:
        """The claims that their owners did not name for longer than the lease.

        Cost: O(claims); forgets claims that ended.
        """
        watched: dict[int, float] = {}
        named: dict[tuple[str, str, int], float] = {}
        found = []
        for build in claimed:
            since = watched[build.fence] = self._watched.get(build.fence, now)
            claim = (build.owner, build.owner_incarnation, build.fence)
            last = named[claim] = max(since, self._named.get(claim, since))
            if now - last > self._ttl:
                found.append(Lost(build.id, build.fence, now - last))
        self._watched, self._named = watched, named
        return found
