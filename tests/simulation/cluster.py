"""A whole cluster on one virtual loop: production code over the adapters in memory."""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

from packaging.markers import default_environment

from faults import FaultyIndex
from sim_builder import SimBuilder
from universe import Universe
from virtual_loop import VirtualClock
from wheelfleet_agent.app.agent import Agent, Capacity, Equipment, Times
from wheelfleet_agent.app.desk_client import DeskClient
from wheelfleet_agent.app.ports import AttemptEnded, Builder, UploadKind
from wheelfleet_coordinator.adapters.memory_leadership import AlwaysLeads, Election, Member
from wheelfleet_coordinator.adapters.source_trees import SourceTrees
from wheelfleet_coordinator.app import assembly
from wheelfleet_coordinator.app.leadership import Leadership
from wheelfleet_shared.adapters.memory_blobs import MemoryBlobs
from wheelfleet_shared.adapters.memory_bus import MemoryBus, MemoryHub
from wheelfleet_shared.adapters.memory_log import MemoryLog, MemoryStream
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core import messages as m
from wheelfleet_shared.core.envelope import Aggregate, Envelope
from wheelfleet_shared.core.targets import TargetDefinition
from wheelfleet_shared.names import Actor, IndexName, RunId, Sha256, TargetId
from wheelfleet_shared.ports import Append

TARGET = TargetId("cp311-linux_x86_64")
OTHER_TARGET = TargetId("cp311-linux_aarch64")


def definition(target: TargetId = TARGET) -> TargetDefinition:
    platform = target.partition("-")[2]
    machine = platform.removeprefix("linux_")
    environment = dict(default_environment()) | {
        "python_version": "3.11",
        "python_full_version": "3.11.7",
        "platform_release": "",
        "platform_version": "",
        "platform_machine": machine,
    }
    return TargetDefinition(
        id=target,
        implementation="cpython",
        python="3.11",
        abi="cp311",
        machine=machine,
        libc="glibc",
        libc_floor="2.36",
        marker_environment=environment,
        tags=(f"cp311-cp311-{platform}", "py3-none-any"),
    )


class NoLog:
    def write(self, data: bytes) -> None:
        pass


class SimFiles:
    """Stores the files of an attempt by signed URLs, as the real one does."""

    def __init__(
        self, blobs: MemoryBlobs, desk: DeskClient, work: m.Work, transfer: Callable[[], Awaitable[None]]
    ) -> None:
        self._transfer = transfer
        self._blobs = blobs
        self._desk = desk
        self._work = work
        self.log = NoLog()

    async def upload(self, path: Path, file: e.FileRef, kind: UploadKind) -> None:
        content = path.read_bytes()
        grant = await self._desk.insist("upload", m.UploadAsk(self._work.build, self._work.fence, file, kind))
        if not isinstance(grant, m.UploadGrant):
            raise AttemptEnded("lost", "the lease ended before the upload")
        if not grant.stored:
            await self._transfer()
            status = self._blobs.put_signed(grant.url, grant.headers, content)
            if status != 200:
                raise AttemptEnded("upload", f"{status}")

    async def close(self) -> None:
        pass


class Cluster:
    """Starts and kills coordinators and agents; ``seed`` decides every id."""

    def __init__(self, loop: asyncio.AbstractEventLoop, universe: Universe, seed: int = 0) -> None:
        self.loop = loop
        self.universe = universe
        self.random = random.Random(seed)
        self.stream = MemoryStream()
        self.election: Election | None = None
        self.index: Universe | FaultyIndex = universe
        self.hub = MemoryHub()
        self.clock = VirtualClock(loop)
        self.blobs = MemoryBlobs(self.clock)
        self.calls: list[tuple[str, str, str]] = []
        self.times = assembly.Times(lease=60.0, watch=2.0)
        self.coordinators: dict[str, tuple[assembly.Assembled, asyncio.Task[None]]] = {}
        self._incarnations = itertools.count(1)

    def new_id(self) -> str:
        return f"{self.random.getrandbits(64):016x}"

    def log(self, actor: str) -> MemoryLog:
        return MemoryLog(self.stream, Actor(actor))

    def bus(self, actor: str) -> MemoryBus:
        return MemoryBus(self.hub, Actor(actor))

    def transfer(self, actor: str) -> Callable[[], Awaitable[None]]:
        """What passes between the grant of an upload and its bytes in the store."""
        return lambda: asyncio.sleep(0)

    def leadership(self) -> Leadership:
        return AlwaysLeads() if self.election is None else Member(self.election)

    def start_coordinator(self, name: str = "c1") -> assembly.Assembled:
        actor = Actor(f"coordinator-{name}")
        bus = self.bus(actor)
        parts = assembly.assemble(
            assembly.Ports(
                self.log(actor),
                bus,
                self.blobs,
                self.clock,
                self.index.fetch_page,
                self.index.download,
                self.new_id,
                SourceTrees({}),
            ),
            self.times,
        )
        self.coordinators[name] = (parts, self.loop.create_task(self._run_coordinator(parts, bus)))
        return parts

    async def _run_coordinator(self, parts: assembly.Assembled, bus: MemoryBus) -> None:
        try:
            await assembly.run(parts, bus, leadership=self.leadership())
        finally:
            await bus.close()

    async def kill_coordinator(self, name: str = "c1") -> None:
        _, task = self.coordinators.pop(name)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def builder(self, agent: str) -> Builder:
        """What builds on an agent of that name."""
        return SimBuilder(self.blobs, self.calls)

    def start_agent(
        self, name: str, slots: int = 2, times: Times = Times(), target: TargetId = TARGET
    ) -> "asyncio.Task[None]":
        actor = Actor(f"agent-{name}")
        incarnation = f"i{next(self._incarnations)}"
        bus = self.bus(actor)
        desk = DeskClient(self.log(actor), bus, self.clock, self.new_id)
        equipment = Equipment(e.AgentJoined(incarnation, (target,), slots), (definition(target),))
        agent = Agent(
            desk,
            equipment,
            self.builder(name),
            lambda work: SimFiles(self.blobs, desk, work, self.transfer(actor)),
            self.clock,
            lambda: Capacity(1 << 30, 1 << 30),
            times,
        )
        return self.loop.create_task(agent.run())

    async def submit(
        self,
        *requirements: str,
        run: str = "r1",
        targets: tuple[TargetId, ...] = (TARGET,),
        bundle: Sha256 | None = None,
        **options: object,
    ) -> RunId:
        run_id = RunId(run)
        event = e.RunSubmitted(run_id, IndexName(), targets, requirements, e.RunOptions(**options), bundle)  # type: ignore[arg-type]
        envelope = Envelope(self.new_id(), self.clock.now(), event)
        await self.log("operator-ann").append([Append(Aggregate("run", run_id), 0, (envelope,))])
        return run_id

    async def finished(self, parts: assembly.Assembled, run: RunId, limit: float = 36_000) -> e.RunFinished:
        async with asyncio.timeout(limit):
            while True:
                state = parts.state.world.runs.get(run)
                if state is not None and state.finished is not None:
                    return state.finished
                await asyncio.sleep(1.0)

    def built(self) -> list[tuple[str, str]]:
        return [(name, version) for what, name, version in self.calls if what == "build_wheel"]
