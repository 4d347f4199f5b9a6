"""The bus in memory, for tests and simulations: subjects with wildcards, queue groups, and faults on demand."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import NamedTuple, Protocol

from ..errors import InfrastructureError, NoResponders, RequestTimeout
from ..names import Actor
from ..ports import Handler

_logger = logging.getLogger(__name__)


class BusFaults(Protocol):
    """What can happen to a message on its way."""

    async def carry(self, sender: Actor, subject: str, payload: bytes) -> int:
        """How many copies arrive: 0 lost, 1, 2 doubled. May wait first, which is delay.

        An answer travels under the subject ``_INBOX_<actor that asked>``.
        """


def matches(pattern: str, subject: str) -> bool:
    """Whether a subject falls under a pattern: ``*`` is one token, ``>`` at the end one or more."""
    wanted, given = pattern.split("."), subject.split(".")
    if wanted[-1] == ">":
        return len(given) >= len(wanted) and _tokens_match(wanted[:-1], given)
    return len(given) == len(wanted) and _tokens_match(wanted, given)


def _tokens_match(wanted: list[str], given: list[str]) -> bool:
    return all(token in ("*", other) for token, other in zip(wanted, given, strict=False))


class _Request(NamedTuple):
    sender: Actor
    subject: str
    payload: bytes
    answer: asyncio.Future[bytes]


class _Service(NamedTuple):
    pattern: str
    queue: str
    start: Callable[[Handler, _Request], None]
    handler: Handler


class _Listener(NamedTuple):
    pattern: str
    callback: Callable[[str, bytes], None]


class MemoryHub:
    """What the buses share. One event loop only."""

    def __init__(self) -> None:
        self.services: list[_Service] = []
        self.listeners: list[_Listener] = []
        self._turns: dict[tuple[str, str], int] = {}

    def services_for(self, subject: str) -> list[_Service]:
        """Those who get a request: everyone without a queue, and one of each queue group, by turns."""
        fitting = [service for service in self.services if matches(service.pattern, subject)]
        groups: dict[tuple[str, str], list[_Service]] = {}
        for service in fitting:
            if service.queue:
                groups.setdefault((service.pattern, service.queue), []).append(service)
        chosen = [self._by_turns(group, members) for group, members in groups.items()]
        return [service for service in fitting if not service.queue] + chosen

    def notify(self, subject: str, payload: bytes) -> None:
        """Everyone who listens has been called; a failing callback is logged and hurts nobody else."""
        for listener in [listener for listener in self.listeners if matches(listener.pattern, subject)]:
            try:
                listener.callback(subject, payload)
            except Exception:
                _logger.exception("a callback for %s failed", subject)

    def _by_turns(self, group: tuple[str, str], members: list[_Service]) -> _Service:
        turn = self._turns.get(group, 0)
        self._turns[group] = turn + 1
        return members[turn % len(members)]


class MemoryBus:
    """One actor's connection to a hub; implements ports.Bus. ``close`` ends it as a crash would."""

    def __init__(self, hub: MemoryHub, actor: Actor, faults: BusFaults | None = None) -> None:
        self._hub = hub
        self._actor = actor
        self._faults = faults
        self._services: list[_Service] = []
        self._listeners: list[_Listener] = []
        self._running: set[asyncio.Task[None]] = set()
        self._closed = False

    async def request(self, subject: str, payload: bytes, *, timeout: float) -> bytes:
        """The first answer; raises NoResponders where nobody serves, RequestTimeout after ``timeout`` s.

        A request outlives the patience of who asked: it may still arrive later.
        """
        self._require_open()
        if not self._hub.services_for(subject):
            raise NoResponders(f"nobody serves {subject}", "start a coordinator")
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._spawn(self._ask(_Request(self._actor, subject, payload, answer)))
        try:
            async with asyncio.timeout(timeout):
                return await answer
        except TimeoutError:
            raise RequestTimeout(f"no answer to {subject} within {timeout:g} s", "try again") from None

    async def serve(self, subject: str, handler: Handler, *, queue: str = "") -> None:
        """Requests that match are answered, each in a task of its own, until the bus closes.

        An exception of the handler is logged and nothing is answered.
        """
        self._require_open()
        service = _Service(subject, queue, self._start, handler)
        self._services.append(service)
        self._hub.services.append(service)

    async def publish(self, subject: str, payload: bytes) -> None:
        """A notice is on its way."""
        self._require_open()
        self._spawn(self._notify(subject, payload))

    async def subscribe(self, subject: str, callback: Callable[[str, bytes], None]) -> None:
        """Each notice that matches is called back, until the bus closes."""
        self._require_open()
        listener = _Listener(subject, callback)
        self._listeners.append(listener)
        self._hub.listeners.append(listener)

    async def close(self) -> None:
        """Nothing is served or sent any more; what was on its way out is lost."""
        self._closed = True
        self._hub.services = [service for service in self._hub.services if service not in self._services]
        self._hub.listeners = [listener for listener in self._hub.listeners if listener not in self._listeners]
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _ask(self, request: _Request) -> None:
        for _ in range(await self._carry(request.subject, request.payload)):
            for service in self._hub.services_for(request.subject):
                service.start(service.handler, request)

    def _start(self, handler: Handler, request: _Request) -> None:
        self._spawn(self._serve_one(handler, request))

    async def _serve_one(self, handler: Handler, request: _Request) -> None:
        try:
            payload = await handler(request.subject, request.payload)
        except Exception:
            _logger.exception("answering %s failed", request.subject)
            return
        if await self._carry(f"_INBOX_{request.sender}", payload) and not request.answer.done():
            request.answer.set_result(payload)

    async def _notify(self, subject: str, payload: bytes) -> None:
        for _ in range(await self._carry(subject, payload)):
            self._hub.notify(subject, payload)

    async def _carry(self, subject: str, payload: bytes) -> int:
        return 1 if self._faults is None else await self._faults.carry(self._actor, subject, payload)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def _require_open(self) -> None:
        if self._closed:
            raise InfrastructureError("the connection to the bus is closed", "connect again")
