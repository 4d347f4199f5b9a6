"""Appends of one process that come while others are on their way, sent together.

Each append alone costs the server one write to disk, one after the other; a process with many slots
would wait for that most of its time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from ..ports import Append, Outcome

BUSY = 4
"""Appends sent together from which on the next ones wait for more."""
LINGER = 0.01
"""Seconds for which they wait."""
Send = Callable[[Sequence[Append]], Awaitable[list[Outcome]]]


class _Waiting(NamedTuple):
    batch: tuple[Append, ...]
    done: "asyncio.Future[list[Outcome]]"


class GatheredAppends:
    """``append`` is ``send``, but for what is sent together. Nothing waits while nothing is on its way."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._waiting: list[_Waiting] = []
        self._sender: asyncio.Task[None] | None = None

    async def append(self, batch: Sequence[Append]) -> list[Outcome]:
        """The outcomes of this batch; raises what ``send`` raises for it alone.

        When cancelled, it is unknown whether the events went in, as ever.
        """
        waiting = _Waiting(tuple(batch), asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send_all())
        return await waiting.done

    async def _send_all(self) -> None:
        busy = False
        while self._waiting:
            if busy:
                await asyncio.sleep(LINGER)
            together, self._waiting = self._waiting, []
            busy = len(together) >= BUSY
            try:
                outcomes = await self._send([append for waiting in together for append in waiting.batch])
            except Exception as error:  # noqa: BLE001 - whatever it was, those who wait must hear it
                await self._send_apart(together, error)
            else:
                for waiting in together:
                    count = len(waiting.batch)
                    _answer(waiting, outcomes[:count])
                    del outcomes[:count]

    async def _send_apart(self, together: list[_Waiting], error: Exception) -> None:
        """One that cannot be sent must not keep the others out; the same events never go in twice."""
        if len(together) == 1:
            _answer(together[0], error)
            return
        results = await asyncio.gather(*(self._send(waiting.batch) for waiting in together), return_exceptions=True)
        for waiting, result in zip(together, results, strict=True):
            _answer(waiting, result)


def _answer(waiting: _Waiting, result: list[Outcome] | BaseException) -> None:
    if waiting.done.done():
        return
    if isinstance(result, BaseException):
        waiting.done.set_exception(result)
    else:
        waiting.done.set_result(result)
