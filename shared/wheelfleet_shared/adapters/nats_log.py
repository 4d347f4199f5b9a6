"""The event log on NATS JetStream."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from nats.aio.client import Client
from nats.errors import Error as NatsError

from ..core import codec
from ..core.envelope import Aggregate, Recorded
from ..core.permissions import LOG
from ..errors import InfrastructureError
from ..names import Actor
from ..ports import Append, Outcome
from .gathered_appends import GatheredAppends
from .nats_append import append_all
from .nats_pull import Pulled, pull


class NatsLog:
    """One actor's handle on the log; implements ports.EventLog.

    incarnation: from ``ensure_streams`` or ``log_incarnation``; an agent, which may not ask the server,
    is told by a coordinator. Agents may only append.
    """

    def __init__(self, client: Client, actor: Actor, incarnation: str) -> None:
        self._client = client
        self._actor = actor
        self._incarnation = incarnation
        self._appends = GatheredAppends(lambda batch: append_all(client, actor, batch))

    @property
    def incarnation(self) -> str:
        """Changes when the stream was made anew."""
        return self._incarnation

    @property
    def actor(self) -> Actor:
        """Who appends through this handle."""
        return self._actor

    async def append(self, batch: Sequence[Append]) -> list[Outcome]:
        """One outcome a decision, in order; all events are on disk when this returns.

        Raises InfrastructureError after 30 s without an answer: the events may be stored or not, and
        the same appends, tried again within ten minutes, tell. Raises WheelfleetError for an event
        above 256 KiB. Cost with one replica: some 1 ms an event below twelve decisions, else some 5 to
        20 ms for up to 1000 events together; what is appended meanwhile waits and goes together.
        """
        return await self._appends.append(batch)

    async def last_sequence(self) -> int:
        """The sequence of the newest event, 0 for an empty log. Cost: one round trip."""
        try:
            info = await self._client.jetstream().stream_info(LOG)
        except NatsError as error:
            raise InfrastructureError(
                f"the log does not tell its last sequence: {str(error) or type(error).__name__}",
                "check the NATS server and that this actor may read the log",
            ) from error
        return int(info.state.last_seq)

    async def read(self, after: int = 0, *, until: int | None = None) -> AsyncGenerator[list[Recorded], None]:
        """Yield the events after ``after`` to the newest now, or to ``until`` if that comes first."""
        if until is not None and until <= after:
            return
        async with aclosing(pull(self._client, LOG, after=after, follow=False)) as chunks:
            async for chunk in chunks:
                events = [event for event in _recorded(chunk) if until is None or event.sequence <= until]
                if events:
                    yield events
                if until is not None and chunk[-1].sequence >= until:
                    return

    async def tail(self, after: int = 0) -> AsyncGenerator[list[Recorded], None]:
        """Yield for ever; survives restarts of the server without a gap and without a double."""
        async with aclosing(pull(self._client, LOG, after=after, follow=True)) as chunks:
            async for chunk in chunks:
                events = _recorded(chunk)
                if events:
                    yield events

    async def read_aggregate(self, aggregate: Aggregate) -> list[Recorded]:
        """All events of one aggregate, in order."""
        wanted = codec.aggregate_filter(aggregate)
        async with aclosing(pull(self._client, LOG, subject=wanted, follow=False)) as chunks:
            return [event async for chunk in chunks for event in _recorded(chunk)]


def _recorded(chunk: list[Pulled]) -> list[Recorded]:
    events = (codec.recorded(message.sequence, message.subject, message.data) for message in chunk)
    return [event for event in events if event is not None]
