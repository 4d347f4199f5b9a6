"""The desk at which people ask: answers are made from the folded world, never from the log."""

import logging
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from wheelfleet_shared.core import messages as m
from wheelfleet_shared.core.keys import bundle_key
from wheelfleet_shared.core.run import Run
from wheelfleet_shared.errors import InputError, WheelfleetError
from wheelfleet_shared.names import IndexName, RunId, TargetId
from wheelfleet_shared.ports import Blobs, Bus, Clock

from ..core.explain import explain
from ..core.instructions import Instruction
from ..core.leases import LeaseBook
from ..core.progress import progress
from ..core.run_rows import ALIVE_WITHIN, agent_rows, file_answer, run_rows, slot_rows, target_list
from ..core.troubles import troubles_of
from ..core.why import why
from .collecting import Collector
from .coordinator import State
from .gathering import LARGEST_BUNDLE, logs_of, work_of_shell
from .renewing import Renew, no_renewal

logger = logging.getLogger(__name__)

SIGNED_FOR: Final = 3600
"""Seconds for which URLs in answers are good."""

OF_THE_LEADER: Final = (m.Runs, m.ProgressAsk, m.ExplainAsk)
"""What is told from the walk, and the walk is the leader's alone."""


class Serving(msgspec.Struct, frozen=True):
    """What a coordinator says of itself. http_url: where it serves index and outputs, without a slash at the end.

    store: the object store in words, without credentials.
    """

    version: str
    http_url: str
    store: str = ""

    def index_url(self, index: IndexName) -> str:
        """The URL for installers of an index of ours."""
        return f"{self.http_url}/indexes/{index}/simple/"


class Queries:
    """Answers ``q.<what>.<actor>``. Standbys answer what the log alone tells, and decline what is the leader's.

    heartbeats: agent → what it said last, as the desk keeps it. leading: whether this coordinator
    leads. busy: whether it carries anything out right now. troubles: what it is trying again, and why.
    """

    def __init__(
        self,
        state: State,
        heartbeats: dict[str, m.Heartbeat],
        leases: LeaseBook,
        blobs: Blobs,
        clock: Clock,
        serving: Serving,
        collector: Collector,
        *,
        leading: Callable[[], bool],
        busy: Callable[[], bool],
        troubles: Callable[[], Mapping[Instruction, str]] = dict,
        renew: Renew = no_renewal,
    ) -> None:
        self._state = state
        self._heartbeats = heartbeats
        self._leases = leases
        self._blobs = blobs
        self._clock = clock
        self._serving = serving
        self._collector = collector
        self._leading = leading
        self._busy = busy
        self._troubles = troubles
        self._renew = renew
        self._since = self._quiet_since = clock.monotonic()
        self._quiet_through = state.world.through

    async def open(self, bus: Bus) -> None:
        """Serve people's questions on the bus until it closes."""
        await bus.serve("q.*.*", self.answer, queue="queries")

    async def answer(self, subject: str, payload: bytes) -> bytes:
        """The answer to one question; the actor is the subject's last token."""
        actor = subject.rpartition(".")[2]
        answer: m.QueryAnswer
        try:
            query = m.decode_query(payload)
            declined = isinstance(query, OF_THE_LEADER) and not self._leading()
            answer = m.NotLeading() if declined else await self._answer(actor, query)
        except msgspec.DecodeError as error:
            answer = m.Refusal(f"this question cannot be read: {error}", "bring wheelfleet to the cluster's version")
        except WheelfleetError as error:
            answer = m.Refusal(error.what, error.next_step, error.exit_code)
        except Exception as error:  # whoever asked must not wait for an answer that never comes
            logger.exception("answering %s failed", subject)
            answer = m.Refusal(f"the coordinator failed on this question: {error!r}", "read its log", 1)
        return m.encode_message(answer)

    async def _answer(self, actor: str, query: m.Query) -> m.QueryAnswer:  # noqa: C901, PLR0912 - one flat match
        world, walk, _ = self._state
        match query:
            case m.Ping():
                return self._pong()
            case m.Targets():
                return target_list(world, self._leases.last_heard, self._clock.monotonic())
            case m.BundleAsk():
                return await self._bundle(actor, query)
            case m.Runs(limit=limit):
                return m.RunList(run_rows(world, walk, limit))
            case m.ProgressAsk():
                return self._progress(query)
            case m.ExplainAsk(run=run, name=name):
                self._known(run)
                return explain(world, walk, run, name, self._agents())
            case m.WhyAsk(run=run, name=name):
                self._known(run)
                return why(world.graphs_of(run), name)
            case m.LogAsk(run=run, name=name):
                self._known(run)
                return await logs_of(world, self._blobs, run, name, SIGNED_FOR)
            case m.ShellAsk(run=run, name=name):
                self._known(run)
                return work_of_shell(world, self._blobs, run, name, SIGNED_FOR)
            case m.Agents():
                return m.AgentList(self._agents())
            case m.Collect():
                _require_operator(actor)
                return await self._collector.collect(query, now=self._clock.now())
            case m.FileAsk(index=index, file_name=file_name):
                return file_answer(world, index, file_name)
            case m.Renew(jwt=jwt):
                return m.Renewed(self._renew(actor, jwt))
            case m.Idle():
                return m.IdleAnswer(self._idle())

    def _pong(self) -> m.Pong:
        world = self._state.world
        return m.Pong(
            version=self._serving.version,
            leading=self._leading(),
            http_url=self._serving.http_url,
            through=world.through,
            busy=self._is_busy(),
            store=self._serving.store,
            ignored=world.ignored,
        )

    def _known(self, run: RunId) -> Run:
        state = self._state.world.runs.get(run)
        if state is None or state.submitted is None:
            raise InputError(f"there is no run {run}", "`wheelfleet runs` lists them")
        return state

    def _progress(self, query: m.ProgressAsk) -> m.Progress:
        submitted = self._known(query.run).submitted
        index_url = self._serving.index_url(submitted.index) if submitted is not None else ""
        world, walk, _ = self._state
        at = self._clock.now()
        found = progress(
            world,
            walk,
            query.run,
            self._slots(),
            at=at,
            since=query.since,
            index_url=index_url,
            offered=self._offered(),
        )
        return msgspec.structs.replace(found, troubles=troubles_of(world, walk, query.run, self._troubles()))

    def _offered(self) -> tuple[TargetId, ...] | None:
        """The targets of alive agents; None while an agent may be alive and not have been heard yet."""
        now = self._clock.monotonic()
        if now - self._since < ALIVE_WITHIN:
            return None
        return target_list(self._state.world, self._leases.last_heard, now).targets

    def _slots(self) -> tuple[m.SlotRow, ...]:
        return slot_rows(self._state.world, self._heartbeats, self._clock.now())

    def _agents(self) -> tuple[m.AgentRow, ...]:
        return agent_rows(self._state.world, self._slots(), self._leases.last_heard, self._clock.monotonic())

    async def _bundle(self, actor: str, ask: m.BundleAsk) -> m.UploadGrant:
        _require_operator(actor)
        if ask.size > LARGEST_BUNDLE:
            raise InputError(f"the inputs of a run may have {LARGEST_BUNDLE} bytes; these have {ask.size}")
        key = bundle_key(ask.sha256)
        held = await self._blobs.head(key)
        # What no run is known to need may be collected at any moment.
        needed = any(run.submitted and run.submitted.bundle == ask.sha256 for run in self._state.world.runs.values())
        if needed and held is not None and held.size == ask.size:
            return m.UploadGrant(stored=True)
        signed = self._blobs.sign_put(key, sha256=ask.sha256, size=ask.size, expires=SIGNED_FOR)
        return m.UploadGrant(signed.url, signed.headers)

    def _is_busy(self) -> bool:
        return bool(self._state.world.active_runs()) or self._busy()

    def _idle(self) -> float:
        """Seconds since work was last seen; a log that moved between two looks is work too."""
        through = self._state.world.through
        if self._is_busy() or through != self._quiet_through:
            self._quiet_since = self._clock.monotonic()
            self._quiet_through = through
        return self._clock.monotonic() - self._quiet_since


def _require_operator(actor: str) -> None:
    if not actor.startswith("operator-"):
        raise InputError(f"{actor} may only look", "use the credential of an operator")
