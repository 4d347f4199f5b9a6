"""The loop: recorded events into the world, the walk's instructions into effects."""

import asyncio
import logging
from collections.abc import Callable
from typing import NamedTuple

from wheelfleet_shared.core.envelope import Recorded
from wheelfleet_shared.ports import EventLog

from ..core.walk import Walk
from ..core.world import World
from .collector import collector_at_rest
from .committer import Committer, Progress
from .executor import Executor

logger = logging.getLogger(__name__)


class State(NamedTuple):
    """What the parts of one coordinator look at: the folded world, the walk over it, how far it got."""

    world: World
    walk: Walk
    progress: Progress


def new_state() -> State:
    """An empty world, before the first event."""
    world = World()
    return State(world, Walk(world), Progress(world))


class Coordinator:
    """Folds the log and, while it leads, carries out what follows from it.

    ``on_change`` is called after each chunk of events, when asks and pages may have become due.
    """

    def __init__(
        self, log: EventLog, state: State, committer: Committer, executor: Executor, on_change: Callable[[], None]
    ) -> None:
        self._log = log
        self._state = state
        self._committer = committer
        self._executor = executor
        self._on_change = on_change
        self.leading = False

    async def catch_up(self) -> int:
        """Fold the log up to its end; the number of events folded."""
        world = self._state.world
        count = 0
        with collector_at_rest():
            async for chunk in self._log.read(world.through):
                self._fold(chunk, note=False)
                count += len(chunk)
        return count

    def lead(self) -> None:
        """Begin to carry out: derive everything that is due from the world as it is."""
        self.leading = True
        self._state.walk.start()
        self._advance()

    async def stand_by(self) -> None:
        """Fold on, but carry nothing out; what is under way is dropped for whoever leads next."""
        self.leading = False
        await self._executor.stop()

    async def run(self) -> None:
        """Fold and carry out until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._committer.run())
            group.create_task(self._tail())

    async def _tail(self) -> None:
        async for chunk in self._log.tail(self._state.world.through):
            self._fold(chunk, note=self.leading)
            self._advance()

    def _fold(self, chunk: list[Recorded], *, note: bool) -> None:
        world, walk, progress = self._state
        for recorded in chunk:
            touched = world.apply(recorded)
            if note:
                walk.note(recorded, touched)
        progress.advance()

    def _advance(self) -> None:
        if self.leading:
            self._executor.start(self._state.walk.instructions())
        self._on_change()

    def look_again(self) -> None:
        """Derive instructions anew for what was touched without an event."""
        self._advance()
