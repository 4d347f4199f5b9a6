"""Messages of a stream in order and without gaps, whatever happens to the server meanwhile.

Pull requests overlap and a callback collects what comes: fetching or asking for the next message
costs the client several times as much. The consumer is nobody's property: unacknowledged, in the
server's memory, gone some seconds after its reader; a new one starts where the last one stopped.
"""

import asyncio
import contextlib
import json
import math
import secrets
from collections.abc import AsyncGenerator
from typing import NamedTuple

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeout
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import APIError

from ..errors import InfrastructureError
from .nats_publish import require_permitted

_BATCH = 500
_HEARTBEAT = 2.0
_EXPIRES = 30.0
_FORGOTTEN_AFTER = 15.0
_PAUSE = 0.2
_PATIENCE = 30.0
_TIMEOUT = 3.0
_SECOND = 1_000_000_000


class Pulled(NamedTuple):
    """A message as it lies in the stream."""

    sequence: int
    subject: str
    data: bytes


class _Lost(Exception):
    """The consumer is gone or silent; another one has to take over."""


async def pull(
    client: Client, stream: str, *, after: int = 0, subject: str = "", follow: bool
) -> AsyncGenerator[list[Pulled], None]:
    """Yield the messages after a sequence, in chunks of at most 1000.

    subject: only messages that match it; a hole among them is not noticed, and deleted messages are
    allowed for. Without it every sequence must be there. follow: go on for ever, else end with the
    message that is the newest at the start. Raises InfrastructureError where a message is missing,
    where the server refuses, where the connection is closed, and, unless ``follow``, after 30 s
    without a server.
    """
    position, failing_since = after, None
    while True:
        try:
            async with contextlib.aclosing(_pull_once(client, stream, position, subject, follow)) as chunks:
                async for chunk in chunks:
                    position, failing_since = chunk[-1].sequence, None
                    yield chunk
        except (_Lost, NatsError) as error:
            now = asyncio.get_running_loop().time()
            failing_since = now if failing_since is None else failing_since
            _require_hope(client, stream, error, 0.0 if follow else now - failing_since)
            await asyncio.sleep(_PAUSE)
        else:
            return


def _require_hope(client: Client, stream: str, error: Exception, waited: float) -> None:
    lasting = isinstance(error, APIError) and (error.code or 500) < 500
    if client.is_closed or lasting or waited > _PATIENCE:
        raise InfrastructureError(
            f"the stream {stream} cannot be read: {str(error) or type(error).__name__}",
            "check the NATS server, the connection to it, and that this actor may read the stream",
        ) from error


async def _pull_once(
    client: Client, stream: str, after: int, subject: str, follow: bool
) -> AsyncGenerator[list[Pulled], None]:
    """The messages of one consumer; raises _Lost when it is silent."""
    inbox = _Inbox(client, stream)
    subscription = await client.subscribe(inbox.subject, cb=inbox.receive)
    try:
        remaining = await _make_consumer(client, stream, inbox.consumer, after, subject)
        while follow or (remaining > 0 and inbox.pending > 0):
            await inbox.refill()
            chunk = await inbox.take(math.inf if follow else _PATIENCE)
            if not subject:
                _require_all(stream, after, chunk)
            after = chunk[-1].sequence
            remaining -= len(chunk)
            yield chunk
    finally:
        await _end(client, subscription)


async def _make_consumer(client: Client, stream: str, name: str, after: int, subject: str) -> int:
    """The consumer is there; how many messages it has to deliver so far."""
    if not client.is_connected:
        raise _Lost("not connected to the NATS server")
    config = ConsumerConfig(
        name=name,
        deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=after + 1,
        ack_policy=AckPolicy.NONE,
        inactive_threshold=_FORGOTTEN_AFTER,
        filter_subject=subject or None,
        mem_storage=True,
        num_replicas=1,
    )
    try:
        info = await client.jetstream(timeout=_TIMEOUT).add_consumer(stream, config)
    except NatsTimeout:
        middle = f".{subject}" if subject else ""
        require_permitted(client, (f"$JS.API.CONSUMER.CREATE.{stream}.{name}{middle}",))
        raise
    return info.num_pending or 0


def _require_all(stream: str, after: int, chunk: list[Pulled]) -> None:
    if chunk[0].sequence != after + 1 or chunk[-1].sequence != after + len(chunk):
        raise InfrastructureError(
            f"the stream {stream} has lost messages between {after + 1} and {chunk[-1].sequence}",
            "stop the coordinators and restore the stream from a replica or a backup",
        )


async def _end(client: Client, subscription: Subscription) -> None:
    if not client.is_closed:
        await subscription.unsubscribe()


class _Inbox:
    """What a consumer sends: messages, and words about itself."""

    def __init__(self, client: Client, stream: str) -> None:
        self.consumer = secrets.token_hex(8)
        self.subject = client.new_inbox()
        self._client = client
        self._next = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{self.consumer}"
        self._reconnects = client.stats["reconnects"]
        self._arrived: list[Pulled] = []
        self._delivered = 0
        self._asked = 0
        self.pending = 1
        self._trouble = ""
        self._heard = asyncio.Event()

    async def refill(self) -> None:
        """At least one request and at most two are open with the server, so memory is bounded."""
        request = {"batch": _BATCH, "expires": int(_EXPIRES * _SECOND), "idle_heartbeat": int(_HEARTBEAT * _SECOND)}
        while self._asked <= _BATCH:
            self._asked += _BATCH
            await self._client.publish(self._next, json.dumps(request).encode(), reply=self.subject)

    async def take(self, patience: float) -> list[Pulled]:
        """All that arrived, at least one message.

        Raises _Lost when nothing is heard for 2.5 heartbeats, or no message comes for ``patience`` s.
        """
        clock = asyncio.get_running_loop().time
        waits_since = silent_since = clock()
        while not self._arrived:
            if await self._hears():
                silent_since = clock()
            if not self._arrived:
                self._require_alive(clock() - silent_since, clock() - waits_since < patience)
                await self.refill()
        arrived, self._arrived = self._arrived, []
        return arrived

    async def receive(self, message: Msg) -> None:
        """The callback. Only the server's own words come under the inbox's subject, whatever a writer put in."""
        if message.subject == self.subject:
            self._note(message.headers or {})
        else:
            self._collect(message)
        self._heard.set()

    def _collect(self, message: Msg) -> None:
        tokens = message.reply.split(".")
        # $JS.ACK.<stream>.<consumer>..., or with domain and account in between
        first = 5 if len(tokens) == 9 else 7
        sequence, delivered = int(tokens[first]), int(tokens[first + 1])
        if delivered != self._delivered + 1:
            self._trouble = f"message {self._delivered + 1} did not arrive"
        elif not self._trouble:
            self._delivered, self.pending = delivered, int(tokens[first + 3])
            self._asked -= 1
            self._arrived.append(Pulled(sequence, message.subject, message.data))

    def _note(self, headers: dict[str, str]) -> None:
        status = headers.get("Status", "")
        if status == "408":
            self._asked -= int(headers.get("Nats-Pending-Messages", _BATCH))
        elif status and status != "100":
            self._trouble = f"{status} {headers.get('Description', '')}"

    async def _hears(self) -> bool:
        """Whether the server said anything within a second."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await self._heard.wait()
        heard = self._heard.is_set()
        self._heard.clear()
        return heard

    def _require_alive(self, silent: float, patient: bool) -> None:
        # A server that came back knows nothing of this consumer.
        reconnected = self._client.stats["reconnects"] != self._reconnects
        if self._trouble or reconnected or not patient or silent > 2.5 * _HEARTBEAT:
            raise _Lost(self._trouble or "the server is silent")
