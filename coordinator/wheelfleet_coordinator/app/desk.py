"""The desk at which agents ask, start, upload and beat: answers are made from the folded world."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from itertools import chain
from typing import Final

import msgspec

from wheelfleet_shared.core import messages as m
from wheelfleet_shared.core.build import Build, Status
from wheelfleet_shared.core.envelope import Aggregate
from wheelfleet_shared.core.keys import blob_key, log_key, source_key
from wheelfleet_shared.errors import InfrastructureError, WheelfleetError
from wheelfleet_shared.names import BuildId
from wheelfleet_shared.ports import Blobs, Bus, Clock

from ..core import decisions
from ..core.fleet_now import faster_than
from ..core.leases import LeaseBook
from ..core.scheduling import Elsewhere, first_allowed, fitting_target, is_exclusive
from ..core.work import work_for
from .coordinator import State
from .ranking import Ranking
from .renewing import Renew, no_renewal

logger = logging.getLogger(__name__)

Commit = Callable[[Aggregate, decisions.Decide], Awaitable[object]]
"""Appends what is decided about an aggregate."""
OFFER_HELD: Final = 2.0
"""Seconds for which a build that was offered is not offered to another agent."""
LOOK_FROM: Final = 1024 * 1024
"""Bytes of a file from which on it is cheaper to ask the store for it than to upload it once more."""
FOLD_PATIENCE: Final = 5.0
"""Seconds to wait for the log to bring an agent's own event."""


class _Parked:
    __slots__ = ("actor", "answer", "ask")

    def __init__(self, actor: str, ask: m.Ask) -> None:
        self.actor = actor
        self.ask = ask
        self.answer: asyncio.Future[m.Offer] = asyncio.get_running_loop().create_future()


class Desk:
    """Answers ``a.<what>.<actor>``. An offer is no state: it is forgotten after two seconds."""

    def __init__(
        self,
        state: State,
        blobs: Blobs,
        leases: LeaseBook,
        clock: Clock,
        *,
        leading: Callable[[], bool],
        commit: Commit | None = None,
        signed_for: int = 3600,
        renew: Renew = no_renewal,
    ) -> None:
        self._state = state
        self._blobs = blobs
        self._leases = leases
        self._clock = clock
        self._leading = leading
        self._commit = commit
        self._renew = renew
        self._signed_for = signed_for
        self._ranking = Ranking(state, clock)
        self._parked: list[_Parked] = []
        self._offered: dict[BuildId, tuple[float, str]] = {}
        self.heartbeats: dict[str, m.Heartbeat] = {}

    async def open(self, bus: Bus) -> None:
        """Serve the agents' requests on the bus until it closes."""
        await bus.serve("a.*.*", self.answer)

    async def answer(self, subject: str, payload: bytes) -> bytes:
        """The answer to one request; the actor is the subject's last token, whatever the body says."""
        actor = subject.rpartition(".")[2]
        try:
            answer = await self._answer(actor, m.decode_agent_request(payload))
        except msgspec.DecodeError as error:
            answer = m.Refusal(f"this request cannot be read: {error}", "bring agent and coordinator to one version")
        except WheelfleetError as error:
            answer = m.Refusal(error.what, error.next_step, error.exit_code)
        return m.encode_message(answer)

    async def _answer(self, actor: str, request: m.AgentRequest) -> m.AgentAnswer | m.Refusal:
        match request:
            case m.Ask():
                return await self._ask(actor, request)
            case m.Start():
                return await self._start(actor, request)
            case m.UploadAsk():
                return await self._upload(actor, request)
            case m.Heartbeat():
                return self._heartbeat(actor, request)
            case m.ClaimAsk():
                return await self._claim(actor, request)
            case m.Renew(jwt=jwt):
                return m.Renewed(self._renew(actor, jwt))

    async def _ask(self, actor: str, ask: m.Ask) -> m.Offer | m.NoOffer | m.Refusal:
        self._leases.heard(actor, ask.incarnation, self._clock.monotonic())
        world = self._state.world
        undefined = tuple(t for t in ask.targets if t not in world.targets or world.targets[t].definition is None)
        agent = world.agent(actor)
        joined = agent.joined is not None and agent.joined.incarnation == ask.incarnation
        if self._leading() and (undefined or not joined):
            return m.NoOffer(undefined)
        if agent.draining:
            return m.NoOffer(draining=True)
        # A standby parks the ask too: it must not answer before the leader does, and may become it.
        parked = _Parked(actor, ask)
        self._parked.append(parked)
        self.serve_parked()
        try:
            async with asyncio.timeout(min(ask.wait, 30.0)):
                return await parked.answer
        except TimeoutError:
            return m.NoOffer()
        finally:
            if parked in self._parked:
                self._parked.remove(parked)

    def serve_parked(self) -> None:
        """Give each waiting agent the best build there is for it now, the longest waiting first."""
        if not self._parked or not self._leading():
            return
        self._forget_offers()
        world = self._state.world
        waiting = [(world.agent(parked.actor), parked.ask) for parked in self._parked]
        held = self._held()
        for parked in tuple(self._parked):
            self._serve(parked, waiting, held)

    def _held(self) -> dict[str, list[Build]]:
        """Agent → the builds that it has claimed, and those it was offered and has not claimed yet."""
        world, held = self._state.world, dict[str, list[Build]]()
        for build in map(world.build, world.by_status[Status.CLAIMED]):
            held.setdefault(build.owner, []).append(build)
        for offered, (_, actor) in self._offered.items():
            if (build := world.build(offered)).status is Status.QUEUED:
                held.setdefault(actor, []).append(build)
        return held

    def _serve(self, parked: _Parked, waiting: Collection[Elsewhere], held: dict[str, list[Build]]) -> None:
        ranked = self._ranking.best_first(chain.from_iterable(held.values()))
        free = (candidacy for candidacy in ranked if candidacy.build.id not in self._offered)
        agent = self._state.world.agent(parked.actor)
        faster = faster_than(self._state.world, agent.id, waiting, self._clock.now())
        build = first_allowed(free, agent, parked.ask, waiting, lambda actor: held.get(actor, ()), faster)
        target = fitting_target(build, parked.ask.targets) if build is not None else None
        if build is None or target is None or parked.answer.done():
            return
        self._hold(build.id, parked.actor)
        held.setdefault(parked.actor, []).append(build)
        self._parked.remove(parked)
        offer = m.Offer(build.id, build.last, build.attempts + 1, target, alone=is_exclusive(build))
        parked.answer.set_result(offer)

    def _hold(self, build: BuildId, actor: str) -> None:
        """Offer the build to nobody else for a while; whoever waits then is served if it was not claimed."""
        self._offered[build] = (self._clock.monotonic() + OFFER_HELD, actor)
        asyncio.get_running_loop().call_later(OFFER_HELD + 0.01, self.serve_parked)

    def _forget_offers(self) -> None:
        """Offers come and expire in one order, so the oldest stand first."""
        now = self._clock.monotonic()
        while self._offered and self._offered[oldest := next(iter(self._offered))][0] <= now:
            del self._offered[oldest]

    async def _current(self, actor: str, build: BuildId, fence: int) -> Build | None:
        """The build if the fence is its current one and the actor's; waits for the log to bring the claim."""
        try:
            async with asyncio.timeout(FOLD_PATIENCE):
                await self._state.progress.reach(fence)
        except TimeoutError:
            return None
        state = self._state.world.build(build)
        mine = state.status is Status.CLAIMED and state.fence == fence and state.owner == actor
        return state if mine else None

    def _not_current(self, fence: int) -> m.NotCurrent:
        """A coordinator that has not read as far as the claim knows nothing of it: that is no refusal."""
        return m.NotCurrent(pending=self._state.world.through < fence)

    async def _start(self, actor: str, start: m.Start) -> m.Work | m.NotCurrent:
        build = await self._current(actor, start.build, start.fence)
        if build is None:
            return self._not_current(start.fence)
        return work_for(self._state.world, build, self._cores(build), self._sign) or m.NotCurrent()

    def _cores(self, build: Build) -> int:
        """Cores inside one build, as the run that wants it asked for; 0 leaves it to the agent."""
        runs = self._state.world.runs
        asked = (runs[run].submitted for run in build.wanted_by if run in runs)
        return next((submitted.options.cores_per_build for submitted in asked if submitted is not None), 0)

    def _sign(self, key: str) -> str:
        return self._blobs.sign_get(key, expires=self._signed_for)

    async def _upload(self, actor: str, ask: m.UploadAsk) -> m.UploadGrant | m.NotCurrent:
        if await self._current(actor, ask.build, ask.fence) is None:
            return self._not_current(ask.fence)
        key = self._upload_key(ask)
        if ask.kind != "log" and ask.file.size >= LOOK_FROM and await self._is_stored(key, ask.file.size):
            return m.UploadGrant(stored=True)
        signed = self._blobs.sign_put(key, sha256=ask.file.sha256, size=ask.file.size, expires=self._signed_for)
        return m.UploadGrant(signed.url, signed.headers)

    async def _is_stored(self, key: str, size: int) -> bool:
        held = await self._blobs.head(key)
        return held is not None and held.size == size

    @staticmethod
    def _upload_key(ask: m.UploadAsk) -> str:
        match ask.kind:
            case "wheel":
                return blob_key(ask.file.sha256, ask.file.file_name)
            case "sdist":
                return source_key(ask.file.sha256, ask.file.file_name)
            case "log":
                return log_key(ask.build, ask.fence)

    def _heartbeat(self, actor: str, beat: m.Heartbeat) -> m.HeartbeatAnswer:
        fences = (held.fence for held in beat.held)
        self._leases.heard(actor, beat.incarnation, self._clock.monotonic(), fences)
        self.heartbeats[actor] = beat
        world = self._state.world
        stop = tuple(
            held.fence
            for held in beat.held
            if held.fence <= world.through and world.build(held.build).fence != held.fence
        )
        return m.HeartbeatAnswer(stop, world.agent(actor).draining)

    async def _claim(self, actor: str, ask: m.ClaimAsk) -> m.ClaimAnswer | m.NotCurrent:
        build = await self._current(actor, ask.build, ask.fence)
        if build is None:
            not_current = self._not_current(ask.fence)
            if not_current.pending:
                return not_current
            await self._supersede(actor, ask)
            return m.ClaimAnswer(current=False, last=0)
        return m.ClaimAnswer(current=True, last=build.last)

    async def _supersede(self, actor: str, ask: m.ClaimAsk) -> None:
        """What a stale owner made is recorded for people; where that fails the agent need not hear of it."""
        wheel = ask.wheel
        if wheel is None or self._commit is None:
            return
        try:
            await self._commit(
                decisions.build_aggregate(ask.build),
                lambda world: decisions.supersede(world, ask.build, ask.fence, actor, wheel),
            )
        except InfrastructureError as error:
            logger.warning("the late wheel of build %s (fence %d) is not recorded: %s", ask.build, ask.fence, error)
