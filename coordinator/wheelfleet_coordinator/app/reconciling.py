"""The store looked through for published wheels that it lost: builds must not wait for what is not there."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Final

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.envelope import Aggregate
from wheelfleet_shared.errors import InfrastructureError
from wheelfleet_shared.names import BuildId
from wheelfleet_shared.ports import Blobs

from ..core import decisions
from ..core.lost_wheels import Expected, expected_of_environment, expected_wheels, loss, suspects
from ..core.world import World
from .committer import Committer

logger = logging.getLogger(__name__)

_WHEELS: Final = "blobs/"
_DOWNLOAD: Final = "download"


class Reconciler:
    """Records as lost what the store says that it does not have. ``period`` in seconds.

    That a listing leaves a wheel out is no proof: each such wheel is asked for by itself. An error of
    the store means unknown, never lost.
    """

    def __init__(
        self, world: World, blobs: Blobs, committer: Committer, *, period: float, leading: Callable[[], bool]
    ) -> None:
        self._world = world
        self._blobs = blobs
        self._committer = committer
        self._period = period
        self._leading = leading
        self._due = asyncio.Event()

    def look_soon(self) -> None:
        """Look through the store now, not at the end of the period."""
        self._due.set()

    async def run(self) -> None:
        """Look whenever it is due and this coordinator leads, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(self._period):
                    await self._due.wait()
            except TimeoutError:
                pass
            self._due.clear()
            if self._leading():
                await self._try_to_look()

    async def _try_to_look(self) -> None:
        try:
            await self.look()
        except InfrastructureError as error:
            logger.warning("the store cannot be looked through now: %s", error)

    async def look(self) -> tuple[e.Event, ...]:
        """Every published wheel that is gone is recorded as lost. Cost: one listing, and one look at each suspect."""
        if not any(self._world.published.values()):
            return ()
        sizes = {info.key: info.size async for info in self._blobs.list(_WHEELS)}
        return await self._record(suspects(expected_wheels(self._world), sizes))

    async def look_at_environment(self, build_id: BuildId) -> tuple[e.Event, ...]:
        """The same for the files of a build whose last attempt could not download something; else nothing is done."""
        build = self._world.build(build_id)
        if not build.aborts or build.aborts[-1][1] != _DOWNLOAD:
            return ()
        return await self._record(expected_of_environment(self._world, build))

    async def _record(self, wheels: Iterable[Expected]) -> tuple[e.Event, ...]:
        lost: list[e.Event] = []
        for wheel in wheels:
            held = await self._blobs.head(wheel.key)
            reason = loss(wheel, held.size if held is not None else None)
            if reason:
                logger.error("%s is lost: %s", wheel.key, reason)
                lost += await self._lose(wheel, reason)
        return tuple(lost)

    async def _lose(self, wheel: Expected, reason: str) -> tuple[e.Event, ...]:
        return await self._committer.commit(
            Aggregate("file", wheel.file), lambda world: decisions.lose(world, wheel.file, reason)
        )
