"""The agent's side of the coordinator's desk: requests with their answers, and appends of results."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core import messages as m
from wheelfleet_shared.core.envelope import Aggregate, Envelope
from wheelfleet_shared.errors import InfrastructureError, NoResponders, RequestTimeout
from wheelfleet_shared.names import BuildId
from wheelfleet_shared.ports import Append, Bus, Clock, Conflict, EventLog, Outcome

logger = logging.getLogger(__name__)

PATIENCE: Final = 300.0
"""Seconds for which an agent with a result in hand waits for a coordinator to come back."""


class DeskClient:
    """Speaks for one agent process; every request goes out in its own name."""

    def __init__(self, log: EventLog, bus: Bus, clock: Clock, new_id: Callable[[], str]) -> None:
        self._log = log
        self._bus = bus
        self._clock = clock
        self._new_id = new_id

    @property
    def actor(self) -> str:
        """Who asks."""
        return self._log.actor

    async def request(self, what: str, request: m.AgentRequest, wait: float = 10.0) -> m.AgentAnswer:
        """The coordinator's answer.

        Raises NoResponders, RequestTimeout; InfrastructureError for a request that it refuses.
        """
        payload = m.encode_message(request)
        answer = m.decode_agent_answer(await self._bus.request(f"a.{what}.{self.actor}", payload, timeout=wait))
        if isinstance(answer, m.Refusal):
            raise InfrastructureError(answer.what, answer.next_step)
        return answer

    async def insist(self, what: str, request: m.AgentRequest) -> m.AgentAnswer:
        """As ``request``, but outlasts a coordinator that restarts or has to catch up, for at most five minutes."""
        end = self._clock.monotonic() + PATIENCE
        pause = 0.2
        while True:
            try:
                answer = await self.request(what, request)
                if not _is_pending(answer) or self._clock.monotonic() > end:
                    return answer
            except (NoResponders, RequestTimeout):
                if self._clock.monotonic() > end:
                    raise
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)

    async def append_own(self, aggregate: Aggregate, event: e.Event, *, expected: int = 0) -> int | None:
        """Append to an aggregate of which this agent is the only frequent writer; its sequence.

        With ``expected`` 0 the log itself tells where the aggregate stands. None when an aggregate
        that was expected to be new has events (``TargetDefined`` by another agent).
        """
        envelope = Envelope(self._new_id(), self._clock.now(), event)
        first_only = isinstance(event, e.TargetDefined)
        while True:
            (outcome,) = await self._log.append([Append(aggregate, expected, (envelope,))])
            if not isinstance(outcome, Conflict):
                return outcome.last
            if first_only or outcome.last == expected:
                return None
            expected = outcome.last

    async def claim(self, offer: m.Offer, incarnation: str) -> int | None:
        """Claim an offered build: the fence, or None when someone else was first.

        Raises InfrastructureError when the log cannot be reached; a claim that went in all the same
        ends with its lease, since nobody names its fence.
        """
        event = e.BuildClaimed(offer.attempt, incarnation, offer.target)
        envelope = Envelope(self._new_id(), self._clock.now(), event)
        (outcome,) = await self._log.append([Append(Aggregate("build", offer.build), offer.last, (envelope,))])
        return None if isinstance(outcome, Conflict) else outcome.last

    async def report(self, build: BuildId, fence: int, event: e.BuildEvent) -> bool:
        """Append an event under the fence; False when the fence is not current any more.

        A Conflict is not loss: others may append to the build (another run wants it), so the
        coordinator is asked where it stands. Outlasts an outage of the log for at most five minutes,
        then raises InfrastructureError.
        """
        envelope = Envelope(self._new_id(), self._clock.now(), event)
        expected = fence
        wheel = event.wheel if isinstance(event, e.WheelBuilt) else None
        while True:
            (outcome,) = await self._insist_append(Append(Aggregate("build", build), expected, (envelope,)))
            if not isinstance(outcome, Conflict):
                return True
            answer = await self.insist("claim", m.ClaimAsk(build, fence, wheel))
            if not isinstance(answer, m.ClaimAnswer) or not answer.current:
                return False
            if answer.last == expected:
                await asyncio.sleep(0.1)
            expected = answer.last

    async def _insist_append(self, append: Append) -> list[Outcome]:
        """As the log's own append, but patient; the ids of the envelopes keep it from being stored twice."""
        end = self._clock.monotonic() + PATIENCE
        while True:
            try:
                return await self._log.append([append])
            except InfrastructureError as error:
                if self._clock.monotonic() > end:
                    raise
                logger.warning("%s; reporting again", error)
            await asyncio.sleep(1.0)


def _is_pending(answer: m.AgentAnswer) -> bool:
    return isinstance(answer, m.NotCurrent) and answer.pending
