"""The event log in memory, for tests and simulations: the same outcomes as the real one, and no threads."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from ..core import codec
from ..core.envelope import Aggregate, Recorded
from ..errors import InfrastructureError, RequestTimeout
from ..names import Actor
from ..ports import AlreadyAppended, Append, Appended, Conflict, Outcome
from .event_size import encode_event

_CHUNK = 500
_TRIES = 10


class Faults(Protocol):
    """What can go wrong between a handle and the log; each method may also wait, which is delay.

    A RequestTimeout raised by either append hook means that no acknowledgement came: the handle tries
    again with the same events, as the real one does. Any other exception reaches the caller.
    """

    async def before_append(self, actor: Actor, batch: Sequence[Append]) -> None:
        """Called before anything is stored; raising loses the request."""

    async def after_append(self, actor: Actor, batch: Sequence[Append], outcomes: Sequence[Outcome]) -> None:
        """Called with everything stored; raising loses the acknowledgement."""

    async def deliver(self, actor: Actor, chunk: Sequence[Recorded]) -> None:
        """Called before a tail yields a chunk; order is kept whatever this does."""


class NoFaults:
    """Everything arrives at once."""

    async def before_append(self, actor: Actor, batch: Sequence[Append]) -> None:
        """Nothing is lost."""

    async def after_append(self, actor: Actor, batch: Sequence[Append], outcomes: Sequence[Outcome]) -> None:
        """Nothing is lost."""

    async def deliver(self, actor: Actor, chunk: Sequence[Recorded]) -> None:
        """Nothing is late."""


class MemoryStream:
    """What the handles share: ``messages[i]`` has the sequence i + 1. One event loop only."""

    def __init__(self, incarnation: str = "memory") -> None:
        self.incarnation = incarnation
        self.messages: list[tuple[str, bytes]] = []
        self._events: list[Recorded | None] = []
        self._last: dict[Aggregate, int] = {}
        self._ids: dict[str, int] = {}
        self._waiting: list[asyncio.Future[None]] = []

    def store(self, actor: Actor, append: Append) -> Outcome:
        """All events of the decision are stored, or none; nothing else runs in between."""
        if not append.envelopes:
            return Appended(append.expected)
        datas = [encode_event(append.aggregate, envelope) for envelope in append.envelopes]
        earlier = self._ids.get(append.envelopes[0].id)
        if earlier is not None:
            return AlreadyAppended(earlier + len(append.envelopes) - 1)
        last = self._last.get(append.aggregate, 0)
        if last != append.expected:
            return Conflict(last)
        for envelope, data in zip(append.envelopes, datas, strict=True):
            self._ids[envelope.id] = self.put(codec.subject_of(append.aggregate, actor), data)
        return Appended(len(self.messages))

    def put(self, subject: str, data: bytes) -> int:
        """The sequence of any message, stored without a check, as a hostile writer could."""
        self.messages.append((subject, data))
        sequence = len(self.messages)
        self._events.append(codec.recorded(sequence, subject, data))
        place = codec.read_subject(subject)
        if place is not None:
            self._last[place[0]] = sequence
        self._wake()
        return sequence

    def events(self, after: int, until: int) -> list[Recorded]:
        """The events with after < sequence ≤ until; messages that are no events are left out."""
        return [event for event in self._events[after:until] if event is not None]

    async def grown(self, beyond: int) -> None:
        """The stream holds more than ``beyond`` messages."""
        while len(self.messages) <= beyond:
            waiting = asyncio.get_running_loop().create_future()
            self._waiting.append(waiting)
            await waiting

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)


class MemoryLog:
    """One actor's handle on a stream in memory; implements ports.EventLog."""

    def __init__(self, stream: MemoryStream, actor: Actor, faults: Faults | None = None) -> None:
        self._stream = stream
        self._actor = actor
        self._faults = faults if faults is not None else NoFaults()

    @property
    def incarnation(self) -> str:
        """That of the stream."""
        return self._stream.incarnation

    @property
    def actor(self) -> Actor:
        """Who appends through this handle."""
        return self._actor

    async def append(self, batch: Sequence[Append]) -> list[Outcome]:
        """One outcome a decision, in order; raises InfrastructureError after ten lost acknowledgements."""
        for _ in range(_TRIES):
            try:
                return await self._append_once(batch)
            except RequestTimeout as error:
                lost = error
        raise InfrastructureError("the log did not acknowledge an append", "try again") from lost

    async def _append_once(self, batch: Sequence[Append]) -> list[Outcome]:
        # Always gives way once, so that reading and appending are never one step by accident.
        await asyncio.sleep(0)
        await self._faults.before_append(self._actor, batch)
        outcomes = [self._stream.store(self._actor, append) for append in batch]
        await self._faults.after_append(self._actor, batch, outcomes)
        return outcomes

    async def last_sequence(self) -> int:
        """The number of messages so far."""
        await asyncio.sleep(0)
        return len(self._stream.messages)

    async def read(self, after: int = 0, *, until: int | None = None) -> AsyncGenerator[list[Recorded], None]:
        """Yield what is there now, in chunks of at most 500."""
        newest = await self.last_sequence()
        end = newest if until is None else min(until, newest)
        for start in range(after, end, _CHUNK):
            chunk = self._stream.events(start, min(start + _CHUNK, end))
            if chunk:
                yield chunk
            await asyncio.sleep(0)

    async def tail(self, after: int = 0) -> AsyncGenerator[list[Recorded], None]:
        """Yield for ever, in chunks of at most 500; wakes on every append, by whichever handle."""
        position = after
        while True:
            await self._stream.grown(position)
            end = min(position + _CHUNK, len(self._stream.messages))
            chunk = self._stream.events(position, end)
            position = end
            if chunk:
                await self._faults.deliver(self._actor, chunk)
                yield chunk

    async def read_aggregate(self, aggregate: Aggregate) -> list[Recorded]:
        """All events of one aggregate, in order."""
        newest = await self.last_sequence()
        return [event for event in self._stream.events(0, newest) if event.aggregate == aggregate]
