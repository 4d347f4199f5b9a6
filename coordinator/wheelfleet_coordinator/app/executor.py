"""Carries instructions out, each once at a time, again after infrastructure faults."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from wheelfleet_shared.errors import InfrastructureError

from ..core.instructions import Instruction, Resolve, TakeOver

logger = logging.getLogger(__name__)

_LIMITS: Final[dict[type, int]] = {Resolve: 64, TakeOver: 8}
_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 30.0
_UNMOVED_PAUSE: Final = 1.0


class Executor:
    """``carry_out`` does the work of one instruction and tells whether it moved anything.

    Where it did not, ``finished`` hears of it a second later, so that the walk looks again; what
    was moved is seen in the log. An instruction that is given again while it is under way may be
    about what came after, so ``finished`` hears of it at its end. troubles: why what is under way is
    being tried again.
    """

    def __init__(
        self, carry_out: Callable[[Instruction], Awaitable[bool]], finished: Callable[[Instruction], None]
    ) -> None:
        self._carry_out = carry_out
        self._finished = finished
        self._running: dict[Instruction, asyncio.Task[None]] = {}
        self._again: set[Instruction] = set()
        self._pauses: dict[Instruction, float] = {}
        self._limits = {kind: asyncio.Semaphore(limit) for kind, limit in _LIMITS.items()}
        self.faults = 0
        self.troubles: dict[Instruction, str] = {}

    @property
    def busy(self) -> bool:
        """Whether anything is under way."""
        return bool(self._running)

    def start(self, instructions: Iterable[Instruction]) -> None:
        """Begin each instruction that is not under way already."""
        for instruction in instructions:
            if instruction in self._running:
                self._again.add(instruction)
            else:
                self._running[instruction] = asyncio.get_running_loop().create_task(self._run(instruction))

    async def stop(self) -> None:
        """Cancel all that is under way; the log tells a successor where to go on."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._running.clear()
        self._again.clear()
        self._pauses.clear()

    async def _run(self, instruction: Instruction) -> None:
        limit = self._limits.get(type(instruction))
        try:
            if limit is None:
                moved = await self._persist(instruction)
            else:
                async with limit:
                    moved = await self._persist(instruction)
            if not moved and not isinstance(instruction, TakeOver):
                await asyncio.sleep(_UNMOVED_PAUSE)
        finally:
            self._running.pop(instruction, None)
            self.troubles.pop(instruction, None)
        if not moved or instruction in self._again:
            self._again.discard(instruction)
            self._finished(instruction)

    async def _persist(self, instruction: Instruction) -> bool:
        """Try until it is done; once pauses are long, False after each, since it may not be wanted any more."""
        pause = self._pauses.pop(instruction, _FIRST_PAUSE)
        while True:
            try:
                return await self._carry_out(instruction)
            except InfrastructureError as error:
                self.faults += 1
                self.troubles[instruction] = error.what
                logger.warning("%s: %s; trying again in %.1f s", _name(instruction), error, pause)
            except Exception as error:  # our own fault: tell all of it, and keep the others going
                self.faults += 1
                self.troubles[instruction] = f"{type(error).__name__}: {error}"
                logger.exception("%s failed; trying again in %.1f s", _name(instruction), pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
            if pause == _LONGEST_PAUSE:
                self._pauses[instruction] = pause
                return False


def _name(instruction: Instruction) -> str:
    return f"{type(instruction).__name__.lower()} {instruction[0]}"
