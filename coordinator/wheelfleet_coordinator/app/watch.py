"""Leases watched: what a silent or returned agent held is given up in its name."""

import asyncio
import logging
from collections.abc import Callable

from wheelfleet_shared.core.build import Build, Status
from wheelfleet_shared.core.envelope import Aggregate
from wheelfleet_shared.errors import InfrastructureError
from wheelfleet_shared.ports import Clock

from ..core import decisions
from ..core.leases import LeaseBook
from ..core.world import World
from .committer import Committer

logger = logging.getLogger(__name__)


class LeaseWatch:
    """Expires claims whose owners are silent, or came back as another process. ``period`` in seconds."""

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
