"""The agent's loop: join, ask, claim, build, report; beat while building."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

import msgspec

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core import messages as m
from wheelfleet_shared.core.envelope import Aggregate
from wheelfleet_shared.core.targets import TargetDefinition
from wheelfleet_shared.errors import InfrastructureError, NoResponders
from wheelfleet_shared.ports import Clock

from ..core.room import Room
from .attempt import Attempt, carry_out, work_of
from .desk_client import DeskClient
from .lease import Silence
from .ports import AttemptEnded, AttemptFiles, Builder

logger = logging.getLogger(__name__)


class Times(msgspec.Struct, frozen=True):
    """Seconds between heartbeats; of unanswered ones until builds stop; that an ask may be held back.

    An ask that was parked at a coordinator which died is only noticed when its time is over, so that
    is short.
    """

    heartbeat: float = 10.0
    stop_after: float = 45.0
    ask: float = 10.0


class Capacity(msgspec.Struct, frozen=True):
    """Bytes that builds may use now."""

    memory: int
    disk: int


class Equipment(msgspec.Struct, frozen=True):
    """What an agent process brings: what it announces, and the definitions of its targets."""

    joined: e.AgentJoined
    definitions: tuple[TargetDefinition, ...]


OpenAttempt = Callable[[m.Work], AttemptFiles]
"""Opens the log of one attempt, and the way to store its files."""

_LONGEST_PAUSE: Final = 5.0
_BREATH: Final = 0.1


class Agent:
    """One agent process. ``run`` returns after ``stop``, with every attempt ended in the log."""

    def __init__(
        self,
        desk: DeskClient,
        equipment: Equipment,
        builder: Builder,
        open_attempt: OpenAttempt,
        clock: Clock,
        capacity: Callable[[], Capacity],
        times: Times,
    ) -> None:
        self._desk = desk
        self._equipment = equipment
        self._builder = builder
        self._open_attempt = open_attempt
        self._clock = clock
        self._capacity = capacity
        self._times = times
        self._held: dict[int, tuple[Attempt, asyncio.Task[None], float]] = {}
        self._room = Room()
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Join and serve until ``stop``; then abort what is under way and leave."""
        await self._join()
        beat = asyncio.create_task(self._beat())
        slots = [asyncio.create_task(self._slot()) for _ in range(self._equipment.joined.slots)]
        stop = asyncio.create_task(self._stopping.wait())
        try:
            done, _ = await asyncio.wait([beat, stop, *slots], return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stop}:
                task.result()
        finally:
            await self._leave([*slots, beat, stop])

    def stop(self) -> None:
        """Ask ``run`` to end in good order."""
        self._stopping.set()

    async def _join(self) -> None:
        """Say what this process offers; targets that nobody defined yet are defined first."""
        for definition in self._equipment.definitions:
            await self._desk.append_own(Aggregate("target", definition.id), e.TargetDefined(definition))
        await self._desk.append_own(Aggregate("agent", self._desk.actor), self._equipment.joined)
        logger.info("joined: %s, %d slots", ", ".join(self._equipment.joined.targets), self._equipment.joined.slots)

    async def _leave(self, tasks: list["asyncio.Task[None] | asyncio.Task[bool]"]) -> None:
        self._stopping.set()
        self._cancel(tuple(self._held), "shutdown")
        await asyncio.gather(*(building for _, building, _ in self._held.values()), return_exceptions=True)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        left = e.AgentLeft(self._equipment.joined.incarnation)
        await self._desk.append_own(Aggregate("agent", self._desk.actor), left)

    async def _slot(self) -> None:
        """One slot: ask and build, one build after the other; no fault of one build ends the slot."""
        pause = 0.1
        while not self._stopping.is_set():
            try:
                offer = await self._ask()
                pause = 0.1
                if offer is not None:
                    await self._serve(offer)
                    continue
            except (InfrastructureError, AttemptEnded) as error:
                logger.warning("%s; asking again in %.1f s", error, pause)
            except Exception:
                logger.exception("a fault of ours; asking again in %.1f s", pause)
            else:
                # Nothing to build. An answer that came at once must not make a loop without a breath.
                await asyncio.sleep(_BREATH)
                continue
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _ask(self) -> m.Offer | None:
        joined = self._equipment.joined
        now = self._capacity()
        ask = m.Ask(
            joined.incarnation, joined.targets, now.memory, now.disk, joined.labels, joined.sandbox, self._times.ask
        )
        answer = await self._desk.request("ask", ask, wait=self._times.ask + 5.0)
        if isinstance(answer, m.Offer):
            return answer
        if isinstance(answer, m.NoOffer) and (answer.undefined or answer.draining):
            await asyncio.sleep(1.0)
        return None

    async def _serve(self, offer: m.Offer) -> None:
        if not self._room.enter(alone=offer.alone):
            await asyncio.sleep(_BREATH)
            return
        try:
            await self._claim(offer)
        finally:
            self._room.leave()

    async def _claim(self, offer: m.Offer) -> None:
        fence = await self._desk.claim(offer, self._equipment.joined.incarnation)
        if fence is None:
            return
        attempt = Attempt(offer, fence)
        task = asyncio.create_task(self._attempt(attempt))
        self._held[fence] = (attempt, task, self._clock.monotonic())
        try:
            await asyncio.wait([task])
        finally:
            self._held.pop(fence, None)
        if not task.cancelled() and task.exception() is not None:
            logger.error("attempt %d: %s", fence, task.exception())

    async def _attempt(self, attempt: Attempt) -> None:
        work = await work_of(self._desk, attempt)
        if work is None:
            logger.info("build %s (fence %d) is not ours any more", attempt.build, attempt.fence)
            return
        await carry_out(self._desk, attempt, work, self._builder, self._open_attempt(work))

    async def _beat(self) -> None:
        """Tell what is held; stop what a coordinator no longer counts as ours, or may not."""
        silence = Silence(self._times.stop_after, self._clock.monotonic())
        while True:
            await asyncio.sleep(self._times.heartbeat)
            now = self._clock.monotonic()
            held = tuple(
                m.HeldBuild(attempt.build, fence, attempt.phase, now - since)
                for fence, (attempt, _, since) in self._held.items()
            )
            capacity = self._capacity()
            beat = m.Heartbeat(self._equipment.joined.incarnation, held, capacity.memory, capacity.disk)
            try:
                answer = await self._desk.request("heartbeat", beat, wait=min(5.0, self._times.heartbeat))
            except NoResponders:
                silence.answered(self._clock.monotonic())
                continue
            except InfrastructureError:
                self._stop_if_silent(silence)
                continue
            silence.answered(self._clock.monotonic())
            if isinstance(answer, m.HeartbeatAnswer):
                self._cancel(answer.stop, "cancelled")

    def _stop_if_silent(self, silence: Silence) -> None:
        if silence.too_long(self._clock.monotonic()):
            logger.warning("no coordinator answered for %.0f s: builds stop", self._times.stop_after)
            self._cancel(tuple(self._held), "cancelled")

    def _cancel(self, fences: tuple[int, ...], why: e.AbortKind) -> None:
        """Stop these attempts, but for those that only report: nothing is saved by losing a result."""
        for fence in fences:
            if fence in self._held and self._held[fence][0].phase != "report":
                attempt, task, _ = self._held[fence]
                attempt.stopped = why
                task.cancel()
