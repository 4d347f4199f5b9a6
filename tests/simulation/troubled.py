"""A cluster whose coordinators and agents die without a word, freeze and come back, over a log that is watched."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable

from cluster import TARGET, Cluster
from faults import FaultyBlobs, FaultyIndex, Process, Trouble
from invariants import Checker, WatchedStream, require_equal
from universe import Universe
from wheelfleet_agent.app.agent import Times
from wheelfleet_coordinator.app import assembly, verifying
from wheelfleet_shared.adapters.memory_bus import MemoryBus
from wheelfleet_shared.adapters.memory_log import MemoryLog
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.envelope import Aggregate, Envelope
from wheelfleet_shared.core.file import FileStatus
from wheelfleet_shared.errors import InfrastructureError
from wheelfleet_shared.names import Actor, RunId, TargetId
from wheelfleet_shared.ports import Append, Conflict


class TroubledCluster(Cluster):
    """Coordinators and agents as processes that die without a word, freeze and come back."""

    def __init__(self, loop: asyncio.AbstractEventLoop, universe: Universe, seed: int) -> None:
        super().__init__(loop, universe, seed)
        self.trouble = Trouble(seed)
        self.checker = Checker()
        self.stream = WatchedStream(self.checker)
        self.blobs = FaultyBlobs(self.clock, self.trouble)
        self.index = FaultyIndex(universe, self.trouble)
        self.processes: dict[str, Process] = {}
        self.agents: dict[str, asyncio.Task[None]] = {}
        self.lost: set[str] = set()
        self.times = assembly.Times(reconcile=30.0)

    def log(self, actor: str) -> MemoryLog:
        return MemoryLog(self.stream, Actor(actor), self.processes.get(actor))

    def bus(self, actor: str) -> MemoryBus:
        return MemoryBus(self.hub, Actor(actor), self.processes[actor])

    def transfer(self, actor: str) -> Callable[[], Awaitable[None]]:
        process = self.processes[actor]

        async def slow() -> None:
            await self.trouble.late("slow uploads", 0.3, 20.0)
            if self.trouble.strikes("agents frozen at an upload", 0.1):
                process.frozen_until = self.loop.time() + self.trouble.random.uniform(90.0, 300.0)
            await process.alive()

        return slow

    def start_coordinator(self, name: str = "c1") -> assembly.Assembled:
        process = self.processes[f"coordinator-{name}"] = Process(Actor(f"coordinator-{name}"), self.trouble)
        parts = super().start_coordinator(name)
        self._supervise(process, self.coordinators[name][1], lambda: self.start_coordinator(name))
        return parts

    def start_agent(
        self, name: str, slots: int = 2, times: Times = Times(), target: TargetId = TARGET
    ) -> "asyncio.Task[None]":
        process = self.processes[f"agent-{name}"] = Process(Actor(f"agent-{name}"), self.trouble)
        self.agents[name] = super().start_agent(name, slots, times, target)
        self._supervise(process, self.agents[name], lambda: self.start_agent(name, slots, times, target))
        return self.agents[name]

    def _supervise(self, process: Process, task: "asyncio.Task[None]", restart: Callable[[], object]) -> None:
        """What ends for want of infrastructure is started again; any other end is a fault of ours."""

        def ended(task: "asyncio.Task[None]") -> None:
            if process.dead:
                return
            error = None if task.cancelled() else task.exception()
            if isinstance(error, InfrastructureError):
                self.trouble.counts["processes that gave up"] += 1
                self.loop.call_later(1.0, lambda: None if process.dead else restart())
            else:
                self.checker.broken.append(f"{process.actor} ended by itself: {error!r}")

        task.add_done_callback(ended)

    async def die(self, actor: str, task: "asyncio.Task[None]") -> None:
        """End a process as SIGKILL does: nothing that it still wants to say gets out."""
        self.processes[actor].dead = True
        while not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=0.01)
        if not task.cancelled():
            task.exception()

    async def kill_coordinator(self, name: str = "c1") -> None:
        _, task = self.coordinators.pop(name)
        await self.die(f"coordinator-{name}", task)

    async def kill_agent(self, name: str) -> None:
        await self.die(f"agent-{name}", self.agents.pop(name))

    def lose(self, key: str) -> None:
        self.blobs.lose(key)
        self.lost.add(key)

    def check_worlds(self) -> None:
        """Every live coordinator's world is what the log says, and the store holds what was published."""
        self._check_store()
        for parts, _ in self.coordinators.values():
            require_equal(parts.state.world, self.stream)

    def _check_store(self) -> None:
        for file in self.checker.world.files.values():
            if file.status is FileStatus.PUBLISHED and file.accepted is not None:
                wheel = file.accepted.file
                key = verifying.blob_key(wheel.sha256, wheel.file_name)
                if key in self.lost:
                    continue
                data = self.blobs.stored(key)
                self.checker.require(
                    hashlib.sha256(data).hexdigest() == wheel.sha256, f"{wheel.file_name} is published with other bytes"
                )

    async def cancel(self, run: RunId) -> None:
        await self._append_as("operator-ann", Aggregate("run", run), e.RunCancelRequested("on a whim"))

    async def stale_word(self, claim: int) -> None:
        """A rude owner of long ago states its result without asking where the build stands."""
        recorded = self.stream.events(claim - 1, claim)[0]
        aggregate = recorded.aggregate
        kind = self.random.randrange(3)
        event: e.BuildEvent = e.AttemptAborted(claim, "shutdown", "rude")
        if kind == 1:
            event = e.BuildFailed(e.Failure("backend", "build_wheel", "rude"), claim)
        elif kind == 2:
            event = e.BuildBlocked(claim, ("n0",))
        await self._append_as(recorded.actor, aggregate, event)

    async def _append_as(self, actor: str, aggregate: Aggregate, event: e.Event) -> None:
        log = MemoryLog(self.stream, Actor(actor))
        envelope = Envelope(self.new_id(), self.clock.now(), event)
        expected = 0
        while isinstance((outcome := (await log.append([Append(aggregate, expected, (envelope,))]))[0]), Conflict):
            expected = outcome.last

    async def end(self) -> None:
        for name in list(self.coordinators):
            await self.kill_coordinator(name)
        for name in list(self.agents):
            await self.kill_agent(name)
