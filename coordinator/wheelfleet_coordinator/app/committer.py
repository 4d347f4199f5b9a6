"""Decisions in, events out: the one place where the coordinator appends.

Decisions are gathered and appended in groups, one decision an aggregate a group (those about
graphs and runs are independent of each other, so several of one aggregate go in together). Each
decision is made against the folded world at the moment of its append; a Conflict folds what came
between and decides again.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from wheelfleet_shared.core.envelope import Aggregate, Envelope
from wheelfleet_shared.core.events import Event
from wheelfleet_shared.ports import Append, Clock, Conflict, EventLog

from ..core.decisions import Decide
from ..core.world import World

MERGED: Final = frozenset({"graph", "run"})
GROUP: Final = 500
BUSY: Final = 12
"""Decisions of a group from which on the next one waits for more."""
LINGER: Final = 0.01
"""Seconds for which it waits."""


class _Pending:
    __slots__ = ("aggregate", "cause", "decide", "done")

    def __init__(self, aggregate: Aggregate, decide: Decide, cause: int) -> None:
        self.aggregate = aggregate
        self.decide = decide
        self.cause = cause
        self.done: asyncio.Future[tuple[Event, ...]] = asyncio.get_running_loop().create_future()


class _Decided(NamedTuple):
    pending: _Pending
    events: tuple[Event, ...]
    envelopes: tuple[Envelope, ...]


class Progress:
    """How far the world has folded the log; waiters wake as it moves."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._moved = asyncio.Event()

    def advance(self) -> None:
        """Wake the waiters, after the world has folded more."""
        self._moved.set()
        self._moved = asyncio.Event()

    async def reach(self, sequence: int) -> None:
        """Return once the event of this sequence is folded."""
        while self._world.through < sequence:
            await self._moved.wait()


class Committer:
    """Appends what is decided; ``run`` must be running for anything to happen."""

    def __init__(
        self, log: EventLog, world: World, progress: Progress, clock: Clock, new_id: Callable[[], str]
    ) -> None:
        self._log = log
        self._world = world
        self._progress = progress
        self._clock = clock
        self._new_id = new_id
        self._pending: list[_Pending] = []
        self._some = asyncio.Event()
        self.conflicts = 0

    async def commit(self, aggregate: Aggregate, decide: Decide, *, cause: int = 0) -> tuple[Event, ...]:
        """Append what ``decide`` says and return it, once it is durable and folded; () for nothing to say.

        Raises InfrastructureError when the log cannot be reached; then it is unknown whether the
        events went in, and asking again is safe.
        """
        pending = _Pending(aggregate, decide, cause)
        self._pending.append(pending)
        self._some.set()
        return await pending.done

    async def run(self) -> None:
        """Append group after group, for ever.

        Where much is decided, a group waits for what comes within a moment: the log takes one large batch
        sooner than two small ones. A decision on its own is appended at once.
        """
        busy = False
        while True:
            await self._some.wait()
            if busy and len(self._pending) < GROUP:
                await asyncio.sleep(LINGER)
            group = self._take()
            busy = len(group) >= BUSY
            if not self._pending:
                self._some.clear()
            await self._append(group)

    def _take(self) -> list[_Pending]:
        """The next group: at most one decision an aggregate, but for the merged kinds."""
        taken: list[_Pending] = []
        left: list[_Pending] = []
        seen: set[Aggregate] = set()
        for pending in self._pending:
            free = pending.aggregate not in seen or pending.aggregate.kind in MERGED
            if free and len(taken) < GROUP:
                taken.append(pending)
                seen.add(pending.aggregate)
            else:
                left.append(pending)
        self._pending = left
        return taken

    async def _append(self, group: Sequence[_Pending]) -> None:
        decided = self._decide(group)
        appends = [
            Append(aggregate, self._world.expected(aggregate), tuple(env for part in parts for env in part.envelopes))
            for aggregate, parts in decided.items()
        ]
        if not appends:
            return
        try:
            outcomes = await self._log.append(appends)
        except Exception as error:  # noqa: BLE001 - whatever it was, those who wait must hear it
            for parts in decided.values():
                for pending, _, _ in parts:
                    _fail(pending, error)
            return
        await self._progress.reach(max(outcome.last for outcome in outcomes))
        for parts, outcome in zip(decided.values(), outcomes, strict=True):
            if isinstance(outcome, Conflict):
                self.conflicts += 1
                self._pending.extend(part.pending for part in parts)
                self._some.set()
                continue
            for pending, events, _ in parts:
                if not pending.done.done():
                    pending.done.set_result(events)

    def _decide(self, group: Sequence[_Pending]) -> dict[Aggregate, list[_Decided]]:
        """What each decision says now; decisions with nothing to say are answered at once."""
        decided: dict[Aggregate, list[_Decided]] = {}
        said: dict[Aggregate, set[Event]] = {}
        for pending in group:
            if pending.done.done():
                continue  # whoever asked was cancelled: it leads no more
            try:
                events = tuple(ev for ev in pending.decide(self._world) if not _repeats(ev, pending, said))
            except Exception as error:  # noqa: BLE001 - one wrong decision must not stop the others
                _fail(pending, error)
                continue
            if not events:
                if not pending.done.done():
                    pending.done.set_result(())
                continue
            now = self._clock.now()
            envelopes = tuple(Envelope(self._new_id(), now, event, pending.cause) for event in events)
            decided.setdefault(pending.aggregate, []).append(_Decided(pending, events, envelopes))
        return decided


def _repeats(event: Event, pending: _Pending, said: dict[Aggregate, set[Event]]) -> bool:
    """Whether another decision of this group states the very same of the same aggregate."""
    if pending.aggregate.kind not in MERGED:
        return False
    known = said.setdefault(pending.aggregate, set())
    if event in known:
        return True
    known.add(event)
    return False


def _fail(pending: _Pending, error: Exception) -> None:
    if not pending.done.done():
        pending.done.set_exception(error)
