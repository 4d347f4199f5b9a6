"""A whole cluster on one virtual loop: production code over the adapters in memory."""

import asyncio
import itertools
import random
from pathlib import Path

from packaging.markers import default_environment

from sim_builder import SimBuilder
from universe import Universe
from virtual_loop import VirtualClock
from wheelfleet_agent.app.agent import Agent, Capacity, Equipment, Times
from wheelfleet_agent.app.desk_client import DeskClient
from wheelfleet_agent.app.ports import AttemptEnded
from wheelfleet_coordinator.app import assembly
from wheelfleet_shared.adapters.memory_blobs import MemoryBlobs
from wheelfleet_shared.adapters.memory_bus import MemoryBus, MemoryHub
from wheelfleet_shared.adapters.memory_log import MemoryLog, MemoryStream
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core import messages as m
from wheelfleet_shared.core.envelope import Aggregate, Envelope
from wheelfleet_shared.core.targets import TargetDefinition
from wheelfleet_shared.names import Actor, IndexName, RunId, TargetId
from wheelfleet_shared.ports import Append

TARGET = TargetId("cp311-linux_x86_64")


def definition() -> TargetDefinition:
    environment = dict(default_environment()) | {
        "python_version": "3.11",
        "python_full_version": "3.11.7",
        "platform_release": "",
        "platform_version": "",
    }
    return TargetDefinition(
        id=TARGET,
        implementation="cpython",
        python="3.11",
        abi="cp311",
        machine="x86_64",
        libc="glibc",
        libc_floor="2.36",
        marker_environment=environment,
        tags=("cp311-cp311-linux_x86_64", "py3-none-any"),
    )


class NoLog:
    def write(self, data: bytes) -> None:
        pass


class Cluster:
    """Starts and kills coordinators and agents; ``seed`` decides every id."""

    def __init__(self, loop: asyncio.AbstractEventLoop, universe: Universe, seed: int = 0) -> None:
        self.loop = loop
        self.universe = universe
        self.random = random.Random(seed)
        self.stream = MemoryStream()
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

    def start_coordinator(self, name: str = "c1") -> assembly.Assembled:
        actor = Actor(f"coordinator-{name}")
        bus = MemoryBus(self.hub, actor)
        parts = assembly.assemble(
            assembly.Ports(
                self.log(actor),
                bus,
                self.blobs,
                self.clock,
                self.universe.fetch_page,
                self.universe.download,
                self.new_id,
            ),
            self.times,
        )
        self.coordinators[name] = (parts, self.loop.create_task(self._run_coordinator(parts, bus)))
        return parts

    async def _run_coordinator(self, parts: assembly.Assembled, bus: MemoryBus) -> None:
        try:
            await assembly.run(parts, bus)
        finally:
            await bus.close()

    async def kill_coordinator(self, name: str = "c1") -> None:
        _, task = self.coordinators.pop(name)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def start_agent(self, name: str, slots: int = 2) -> "asyncio.Task[None]":
        actor = Actor(f"agent-{name}")
        incarnation = f"i{next(self._incarnations)}"
        bus = MemoryBus(self.hub, actor)
        desk = DeskClient(self.log(actor), bus, self.clock, self.new_id)
        equipment = Equipment(e.AgentJoined(incarnation, (TARGET,), slots), (definition(),))
        agent = Agent(
            desk,
            equipment,
            SimBuilder(self.blobs, self.calls),
            lambda work: (NoLog(), self._uploader(desk, work)),
            self.clock,
            lambda: Capacity(1 << 30, 1 << 30),
            Times(),
        )
        return self.loop.create_task(agent.run())

    def _uploader(self, desk: DeskClient, work: m.Work):
        async def upload(path: Path, file: e.FileRef, kind: str) -> None:
            content = path.read_bytes()
            grant = await desk.insist("upload", m.UploadAsk(work.build, work.fence, file, kind))
            if isinstance(grant, m.NotCurrent):
                raise AttemptEnded("lost", "the lease ended before the upload")
            assert isinstance(grant, m.UploadGrant)
            if not grant.stored:
                status = self.blobs.put_signed(grant.url, grant.headers, content)
                if status != 200:
                    raise AttemptEnded("upload", f"{status}")

        return upload

    async def submit(self, *requirements: str, run: str = "r1", **options: object) -> RunId:
        run_id = RunId(run)
        event = e.RunSubmitted(run_id, IndexName(), (TARGET,), requirements, e.RunOptions(**options))  # type: ignore[arg-type]
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
