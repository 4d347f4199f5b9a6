"""What the core needs of the world, as protocols; ``adapters`` implements each twice.

Every method may raise InfrastructureError, which means *unknown*, never *no*.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from .core.envelope import Aggregate, Envelope, Recorded
from .names import Actor, Sha256


class Append(NamedTuple):
    """One decision about one aggregate: its events go in together or not at all.

    ``expected`` is the stream sequence of the aggregate's last event, 0 for none.
    """

    aggregate: Aggregate
    expected: int
    envelopes: tuple[Envelope, ...]


class Appended(NamedTuple):
    """The events are durable; ``last`` is the stream sequence of the last one."""

    last: int


class AlreadyAppended(NamedTuple):
    """An earlier try of the very same append had succeeded (same envelope ids)."""

    last: int


class Conflict(NamedTuple):
    """Someone else appended first; nothing of this decision was stored. Read, fold, decide again.

    ``last`` is the aggregate's last sequence as the log reported it, 0 when unknown.
    """

    last: int


Outcome = Appended | AlreadyAppended | Conflict


class EventLog(Protocol):
    """The append-only log; the only truth."""

    @property
    def incarnation(self) -> str:
        """Changes when the log was made anew; part of every fence."""

    @property
    def actor(self) -> Actor:
        """Who appends through this handle; the last token of every subject."""

    async def append(self, batch: Sequence[Append]) -> list[Outcome]:
        """Append each decision with compare-and-append; one outcome a decision, in order.

        A conflict of one decision does not keep the others out. Retries on lost acknowledgements
        for at most 30 s, with the same envelope ids, so no event is stored twice.
        """

    async def last_sequence(self) -> int:
        """The sequence of the newest event, 0 for an empty log."""

    def read(self, after: int = 0, *, until: int | None = None) -> AsyncIterator[list[Recorded]]:
        """Yield the events after ``after`` in order, in chunks, and end.

        ``until``: last sequence to yield; the newest at the time of the call where None.
        """

    def tail(self, after: int = 0) -> AsyncIterator[list[Recorded]]:
        """Yield the events after ``after`` in order, in chunks, without gaps, for ever."""

    async def read_aggregate(self, aggregate: Aggregate) -> list[Recorded]:
        """All events of one aggregate, in order. Cost: some 70 ms; for recovery only."""


class BlobInfo(NamedTuple):
    """A stored blob; ``size`` in bytes, ``modified`` in seconds since the epoch, UTC."""

    key: str
    size: int
    modified: float


class SignedUpload(NamedTuple):
    """A URL that takes exactly one content, and the headers that must go with the PUT."""

    url: str
    headers: dict[str, str]


class Blobs(Protocol):
    """The object store. Keys are those of ``core.keys``; content never changes under a content key."""

    async def put(self, key: str, data: bytes, content_type: str) -> None:
        """Store the bytes under the key, durable on return."""

    async def put_file(self, key: str, path: Path, content_type: str) -> None:
        """Store the file under the key without holding it in memory."""

    async def get(self, key: str) -> bytes:
        """The bytes; raises BlobMissing."""

    async def get_range(self, key: str, start: int, length: int) -> bytes:
        """At most ``length`` bytes from ``start`` (negative: from the end); raises BlobMissing."""

    async def head(self, key: str) -> BlobInfo | None:
        """The blob's facts, or None where the store says that it is not there."""

    async def delete(self, key: str) -> None:
        """Remove the blob; no error where it is not there."""

    def list(self, prefix: str) -> AsyncIterator[BlobInfo]:
        """Every blob whose key starts with the prefix, in key order."""

    def sign_get(self, key: str, *, expires: int) -> str:
        """A URL that reads the blob for ``expires`` seconds, without credentials."""

    def sign_put(self, key: str, *, sha256: Sha256, size: int, expires: int) -> SignedUpload:
        """A URL that stores exactly the named content under the key for ``expires`` seconds."""


Handler = Callable[[str, bytes], Awaitable[bytes]]
"""Called with the full subject and the request; returns the answer."""


class Bus(Protocol):
    """Requests and notices that are no events: asks, heartbeats, queries, log lines."""

    async def request(self, subject: str, payload: bytes, *, timeout: float) -> bytes:
        """The answer; raises NoResponders at once where nobody serves, RequestTimeout after ``timeout`` s."""

    async def serve(self, subject: str, handler: Handler, *, queue: str = "") -> None:
        """Answer requests whose subject matches, each in a task of its own, until the bus closes.

        With ``queue`` one member of that group answers each request.
        """

    async def publish(self, subject: str, payload: bytes) -> None:
        """Send a notice; it may be lost."""

    async def subscribe(self, subject: str, callback: Callable[[str, bytes], None]) -> None:
        """Call back with (subject, payload) for each notice that matches, until the bus closes."""


class Clock(Protocol):
    """Time as the application sees it; the simulator has its own."""

    def now(self) -> float:
        """Seconds since the Unix epoch, UTC; for people, never for decisions about leases."""

    def monotonic(self) -> float:
        """Seconds that never run backwards; for silences and back-offs."""
