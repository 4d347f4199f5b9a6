"""Agents watched: what a lost one held is given up in its name, and one that spoils builds is set aside."""

import asyncio
import logging
from collections.abc import Callable

from wheelfleet_shared.core.build import Build, Status
from wheelfleet_shared.core.envelope import Aggregate
from wheelfleet_shared.core.run import Agent
from wheelfleet_shared.errors import InfrastructureError
from wheelfleet_shared.ports import Clock

from ..core import decisions
from ..core.doubts import set_aside
from ..core.leases import LeaseBook
from ..core.run_rows import ALIVE_WITHIN, silence
from ..core.world import World
from .committer import Committer

logger = logging.getLogger(__name__)


class LeaseWatch:
    """Expires claims whose owners are silent, or came back as another process, and sets agents aside.

    period: in seconds.
    """

    def __init__(
        self,
        world: World,
        leases: LeaseBook,
        committer: Committer,
        clock: Clock,
        *,
        period: float,
        leading: Callable[[], bool],
    ) -> None:
        self._world = world
        self._leases = leases
        self._committer = committer
        self._clock = clock
        self._period = period
        self._leading = leading

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(self._period)
            if self._leading():
                await self.look()

    async def look(self) -> None:
        """Expire what is lost now."""
        claimed = [self._world.builds[build] for build in self._world.by_status[Status.CLAIMED]]
        gone = [(build, "came back as another process") for build in claimed if self._replaced(build)]
        lost = self._leases.lost(claimed, self._clock.monotonic())
        gone += [(self._world.build(item.build), f"silent for {item.silent:.0f} s") for item in lost]
        for build, reason in gone:
            await self._expire(build, reason)
        for agent in self._world.doubts.suspects():
            await self._set_aside(agent)

    async def _set_aside(self, agent: str) -> None:
        """An agent on which builds abort that others complete gets no more, where the others can do without it."""
        try:
            done = await self._committer.commit(
                Aggregate("agent", agent),
                lambda world: set_aside(world.doubts, world.agent(agent), self._alive()),
            )
        except InfrastructureError as error:
            logger.warning("%s could not be set aside now: %s", agent, error)
        else:
            if done:
                logger.warning("%s is set aside: %s", agent, "; ".join(self._world.doubts.against(agent)))

    def _alive(self) -> list[Agent]:
        now = self._clock.monotonic()
        agents = list(self._world.agents.values())
        return [agent for agent in agents if 0 <= silence(agent, self._leases.last_heard, now) <= ALIVE_WITHIN]

    def _replaced(self, build: Build) -> bool:
        joined = self._world.agent(build.owner).joined
        return joined is not None and joined.incarnation != build.owner_incarnation

    async def _expire(self, build: Build, reason: str) -> None:
        logger.warning("lease of %s (fence %d) expires: %s %s", build.id, build.fence, build.owner, reason)
        try:
            await self._committer.commit(
                Aggregate("build", build.id), lambda world: decisions.expire(world, build.id, build.fence, reason)
            )
        except InfrastructureError as error:
            logger.warning("the lease could not be ended now: %s", error)
