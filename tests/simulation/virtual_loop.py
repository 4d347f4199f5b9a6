"""An asyncio loop whose time is virtual: it jumps to the next timer, and nothing is left to threads.

The whole cluster runs on it: the production code of coordinator and agents over the adapters in
memory. Equal seeds give equal logs.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Deadlock(Exception):
    """Nothing is scheduled and nothing can happen any more."""


class Livelock(Exception):
    """Much happens, but time stands still."""


_PATIENCE = 20_000
"""Turns of the loop at one moment: far more than any decent story needs."""


class _Selector(selectors.SelectSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self._turns = 0

    def restart(self) -> None:
        self._turns = 0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise Deadlock
        self._turns = 0 if timeout > 0 else self._turns + 1
        if self._turns > _PATIENCE:
            raise Livelock
        self.now += max(timeout, 0.0)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> "asyncio.Future[T]":  # type: ignore[override]
        """What production gives to a thread runs here at once."""
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001
            future.set_exception(error)
        return future


class VirtualClock:
    """ports.Clock over the loop; wall clocks may be off by ``skew`` seconds."""

    def __init__(self, loop: asyncio.AbstractEventLoop, skew: float = 0.0) -> None:
        self._loop = loop
        self._skew = skew

    def now(self) -> float:
        return 1_700_000_000.0 + self._loop.time() + self._skew

    def monotonic(self) -> float:
        return self._loop.time()


def run(main: Callable[[asyncio.AbstractEventLoop], Coroutine[Any, Any, T]]) -> T:
    """Run to the end in virtual time."""
    loop = VirtualLoop()
    try:
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(main(loop))
    finally:
        _end_all(loop)
        asyncio.set_event_loop(None)
        loop.close()


def _end_all(loop: VirtualLoop) -> None:
    """Nothing of a story that broke off may run on."""
    loop._virtual.restart()
    for _ in range(100):
        left = asyncio.all_tasks(loop)
        if not left:
            return
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.wait(left, timeout=0.1))
