"""No-op builds a second through real NATS with every append on disk: the whole chain, planned … published.

Coordinator and agent in one process, as in production but for their builds, which are answered at once, and the
package index, which is a value. Blobs in memory, or in the embedded S3 (--s3), whose requests are counted. The
servers' data lies below --folder: give one on the disk that is meant.
PYTHONPATH=shared:coordinator:agent:tests/simulation:tests/integration python tests/bench/orchestration.py
    [--builds 300] [--s3] [--rounds 3] [--slots 32] [--folder FOLDER] [--profile]
"""

import argparse
import asyncio
import contextlib
import cProfile
import logging
import pstats
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import urllib3
from counted_blobs import CountedBlobs
from machine import load, say, spread
from process_tree import servers_cpu
from wide_universe import AtOnce, from_memory

from cluster import TARGET, NoLog, definition
from log_world import NatsWorld
from nats_server import running_nats
from s3_server import juicefs_gateway
from universe import Release, Universe
from wheelfleet_agent.app.agent import Agent, Capacity, Equipment, Times
from wheelfleet_agent.app.desk_client import DeskClient
from wheelfleet_agent.app.ports import UploadKind
from wheelfleet_coordinator.adapters.source_trees import SourceTrees
from wheelfleet_coordinator.app import assembly
from wheelfleet_shared.adapters.clock import SystemClock
from wheelfleet_shared.adapters.memory_blobs import MemoryBlobs
from wheelfleet_shared.adapters.s3_blobs import S3Blobs
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core import messages as m
from wheelfleet_shared.core.envelope import Aggregate, Envelope
from wheelfleet_shared.names import IndexName, RunId
from wheelfleet_shared.ports import Append, Blobs

IN_MEMORY = "/dev/shm"
"""The folder in memory that every Linux has: builds that do nothing should not wait for a disk."""
THREADS = 16


class Store(NamedTuple):
    """An object store, and how an agent moves bytes to and from it by URLs.

    An agent's transfers go by threads here: an agent has a machine of its own to spend on them.
    """

    blobs: Blobs
    download: Callable[[str], Awaitable[bytes]]
    upload: Callable[[str, dict[str, str], bytes], Awaitable[int]]


def new_id() -> str:
    return uuid.uuid4().hex


@contextlib.asynccontextmanager
async def memory_store(folder: Path) -> AsyncIterator[Store]:
    blobs = MemoryBlobs(SystemClock())

    async def upload(url: str, headers: dict[str, str], content: bytes) -> int:
        return blobs.put_signed(url, headers, content)

    yield Store(blobs, from_memory(blobs), upload)


@contextlib.asynccontextmanager
async def s3_store(folder: Path) -> AsyncIterator[Store]:
    pool = urllib3.PoolManager(maxsize=THREADS, timeout=60, retries=False)
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(THREADS) as threads, juicefs_gateway(folder) as settings:
        blobs = S3Blobs(settings, SystemClock())
        await blobs.ensure_bucket()

        async def upload(url: str, headers: dict[str, str], content: bytes) -> int:
            def put() -> int:
                return pool.request("PUT", url, headers=headers, body=content).status

            return await loop.run_in_executor(threads, put)

        async def download(url: str) -> bytes:
            return await loop.run_in_executor(threads, lambda: pool.request("GET", url).data)

        yield Store(blobs, download, upload)
        await blobs.close()


class UrlFiles:
    """ports.AttemptFiles over any store's URLs, without a log."""

    def __init__(self, store: Store, desk: DeskClient, work: m.Work) -> None:
        self._store = store
        self._desk = desk
        self._work = work
        self.log = NoLog()

    async def upload(self, path: Path, file: e.FileRef, kind: UploadKind) -> None:
        content = path.read_bytes()
        grant = await self._desk.insist("upload", m.UploadAsk(self._work.build, self._work.fence, file, kind))
        assert isinstance(grant, m.UploadGrant), grant
        assert grant.stored or await self._store.upload(grant.url, grant.headers, content) == 200

    async def close(self) -> None:
        pass


def an_agent(world: NatsWorld, log: object, bus: object, store: Store, folder: Path, slots: int) -> Agent:
    desk = DeskClient(log, bus, SystemClock(), new_id)  # type: ignore[arg-type]
    return Agent(
        desk,
        Equipment(e.AgentJoined(new_id()[:16], (TARGET,), slots), (definition(),)),
        AtOnce(store.download, folder),
        lambda work: UrlFiles(store, desk, work),
        SystemClock(),
        lambda: Capacity(1 << 30, 1 << 30),
        Times(),
    )


async def finished(parts: assembly.Assembled, run: RunId) -> e.RunFinished:
    world = parts.state.world
    while True:
        state = world.runs.get(run)
        if state is not None and state.finished is not None:
            return state.finished
        await parts.state.progress.reach(world.through + 1)


async def bootstrap(
    world: NatsWorld, store: Store, folder: Path, builds: int, slots: int
) -> tuple[float, assembly.Assembled]:
    """Seconds from the submission to the end of the run, its pages written."""
    universe = Universe([Release(f"dist-{number}", "1.0", seconds=0.0) for number in range(builds)])
    ports = assembly.Ports(
        await world.log(),
        await world.bus("coordinator", "main"),
        store.blobs,
        SystemClock(),
        universe.fetch_page,
        universe.download,
        new_id,
        SourceTrees({}),
    )
    parts = assembly.assemble(ports, assembly.Times())
    coordinator = asyncio.create_task(assembly.run(parts, ports.bus))
    agent = an_agent(world, await world.log("agent", "a1"), await world.bus("agent", "a1"), store, folder, slots)
    serving = asyncio.create_task(agent.run())
    run = RunId("r1")
    asked = e.RunSubmitted(run, IndexName(), (TARGET,), tuple(f"dist-{number}" for number in range(builds)))
    operator = await world.log("operator", "ann")
    while TARGET not in parts.state.world.targets:
        await asyncio.sleep(0.01)
    start = time.perf_counter()
    await operator.append([Append(Aggregate("run", run), 0, (Envelope(new_id(), time.time(), asked),))])
    end = await finished(parts, run)
    seconds = time.perf_counter() - start
    assert (end.outcome, end.succeeded) == ("succeeded", builds), end
    agent.stop()
    await serving
    coordinator.cancel()
    await asyncio.gather(coordinator, return_exceptions=True)
    return seconds, parts


class Setting(NamedTuple):
    """What one round runs: wheels, slots of the agent, the store, and where the servers keep their data."""

    builds: int
    slots: int
    s3: bool
    folder: Path | None


async def one_round(setting: Setting) -> float:
    """One run on a fresh cluster; the rate in wheels a second."""
    builds = setting.builds
    with (
        tempfile.TemporaryDirectory(dir=setting.folder) as name,
        tempfile.TemporaryDirectory(dir=IN_MEMORY) as files,
        running_nats(Path(name)) as server,
    ):
        world = NatsWorld(server)
        async with (s3_store if setting.s3 else memory_store)(Path(name)) as store:
            counted = CountedBlobs(store.blobs)
            counting = store._replace(blobs=counted, upload=counted.counted_upload(store.upload))
            own, servers = time.process_time(), servers_cpu()
            seconds, parts = await bootstrap(world, counting, Path(files), builds, setting.slots)
            cpu = {"this process": time.process_time() - own}
            cpu |= {server: spent - servers.get(server, 0.0) for server, spent in servers_cpu().items()}
            await world.close()
        show(builds, seconds, cpu, parts, counted)
        return builds / seconds


def show(builds: int, seconds: float, cpu: dict[str, float], parts: assembly.Assembled, counted: CountedBlobs) -> None:
    events = parts.state.world.through
    kinds = Counter(key.partition("/")[0] for key in counted.puts)
    puts = ", ".join(f"{kind} {count / builds:.2f}" for kind, count in kinds.most_common())
    shares = ", ".join(f"{part} {spent / builds * 1e3:.1f} ms ({spent / seconds:.0%})" for part, spent in cpu.items())
    say(
        f"{builds} wheels in {seconds:.2f} s: {builds / seconds:.0f}/s, with their sources {2 * builds / seconds:.0f}"
        f" builds/s, {events / seconds:.0f} events/s"
    )
    say(f"  CPU a wheel (share of a core): {shares}")
    say(f"  puts a wheel: {puts}; requests of the coordinator and their mean: {counted.summary()}")


def main(setting: Setting, rounds: int, profile: bool) -> None:
    logging.basicConfig(level=logging.WARNING)
    say(f"{setting.slots} slots, blobs in {'the embedded S3' if setting.s3 else 'memory'}, {load()}")
    profiler = cProfile.Profile()
    if profile:
        profiler.enable()
    rates = [asyncio.run(one_round(setting)) for _ in range(rounds)]
    profiler.disable()
    say(spread(rates, "wheels/s"))
    say(spread([2 * rate for rate in rates], "builds/s, a source and a wheel each"))
    say(load())
    if profile:
        pstats.Stats(profiler, stream=sys.stdout).sort_stats("tottime").print_stats(30).sort_stats(
            "cumtime"
        ).print_stats("wheelfleet|nats", 70)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--builds", type=int, default=300)
    parser.add_argument("--s3", action="store_true")
    parser.add_argument("--slots", type=int, default=32)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    main(
        Setting(arguments.builds, arguments.slots, arguments.s3, arguments.folder), arguments.rounds, arguments.profile
    )
