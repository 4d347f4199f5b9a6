"""No-op builds a second through real NATS with every append on disk: the whole chain, planned … published.

Coordinator and agent in one process, as in production but for their builds, which are answered at once, and the
package index, which is a value. Blobs in memory, or in the embedded S3 (--s3), whose requests are counted.
PYTHONPATH=shared:coordinator:agent:tests/simulation:tests/integration python tests/bench/orchestration.py
    [--builds 300] [--s3] [--rounds 3] [--profile]
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
from pathlib import Path
from typing import NamedTuple

import httpx
from counted_blobs import CountedBlobs
from machine import load, say, spread
from wide_universe import AtOnce, from_memory

from cluster import TARGET, NoLog, definition
from log_world import NatsWorld
from nats_server import running_nats
from s3_server import juicefs_gateway
from universe import Release, Universe
from wheelfleet_agent.app.agent import Agent, Capacity, Equipment, Times
from wheelfleet_agent.app.desk_client import DeskClient
from wheelfleet_agent.app.ports import UploadKind
from wheelfleet_coordinator.app import assembly
from wheelfleet_shared.adapters.clock import SystemClock
from wheelfleet_shared.adapters.memory_blobs import MemoryBlobs
from wheelfleet_shared.adapters.s3_blobs import S3Blobs
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core import messages as m
from wheelfleet_shared.core.envelope import Aggregate, Envelope
from wheelfleet_shared.names import IndexName, RunId
from wheelfleet_shared.ports import Append, Blobs

SLOTS = 32


class Store(NamedTuple):
    """An object store, and how an agent moves bytes to and from it by URLs."""

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
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        with juicefs_gateway(folder) as settings:
            blobs = S3Blobs(settings, SystemClock())
            await blobs.ensure_bucket()

            async def upload(url: str, headers: dict[str, str], content: bytes) -> int:
                return (await client.put(url, headers=headers, content=content)).status_code

            async def download(url: str) -> bytes:
                return (await client.get(url)).content

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


def an_agent(world: NatsWorld, log: object, bus: object, store: Store, folder: Path) -> Agent:
    desk = DeskClient(log, bus, SystemClock(), new_id)  # type: ignore[arg-type]
    return Agent(
        desk,
        Equipment(e.AgentJoined(new_id()[:16], (TARGET,), SLOTS), (definition(),)),
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


async def bootstrap(world: NatsWorld, store: Store, folder: Path, builds: int) -> tuple[float, assembly.Assembled]:
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
    )
    parts = assembly.assemble(ports, assembly.Times())
    coordinator = asyncio.create_task(assembly.run(parts, ports.bus))
    agent = an_agent(world, await world.log("agent", "a1"), await world.bus("agent", "a1"), store, folder)
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


async def one_round(builds: int, s3: bool) -> float:
    """One run on a fresh cluster; the rate in wheels a second."""
    with tempfile.TemporaryDirectory() as name, running_nats(Path(name)) as server:
        folder = Path(name)
        world = NatsWorld(server)
        async with (s3_store if s3 else memory_store)(folder) as store:
            counted = CountedBlobs(store.blobs)
            (folder / "files").mkdir()
            cpu = time.process_time()
            seconds, parts = await bootstrap(world, store._replace(blobs=counted), folder / "files", builds)
            cpu = time.process_time() - cpu
            await world.close()
        show(builds, seconds, cpu, parts, counted)
        return builds / seconds


def show(builds: int, seconds: float, cpu: float, parts: assembly.Assembled, counted: CountedBlobs) -> None:
    events = parts.state.world.through
    kinds = Counter(key.partition("/")[0] for key in counted.puts)
    puts = ", ".join(f"{kind} {count / builds:.2f}" for kind, count in kinds.most_common())
    say(
        f"{builds} wheels in {seconds:.2f} s: {builds / seconds:.0f}/s, with their sources {2 * builds / seconds:.0f}"
        f" builds/s, {events / seconds:.0f} events/s; CPU of this process {cpu:.2f} s ({cpu / seconds:.0%}),"
        f" {cpu / builds * 1e3:.1f} ms a wheel"
    )
    say(f"  puts of the coordinator a wheel: {puts}; calls and their mean: {counted.summary()}")


def main(builds: int, s3: bool, rounds: int, profile: bool) -> None:
    logging.basicConfig(level=logging.WARNING)
    say(f"{SLOTS} slots, blobs in {'the embedded S3' if s3 else 'memory'}, {load()}")
    profiler = cProfile.Profile()
    if profile:
        profiler.enable()
    rates = [asyncio.run(one_round(builds, s3)) for _ in range(rounds)]
    profiler.disable()
    say(spread(rates, "wheels/s"))
    say(load())
    if profile:
        pstats.Stats(profiler, stream=sys.stdout).sort_stats("tottime").print_stats(30).sort_stats(
            "cumtime"
        ).print_stats("wheelfleet|nats", 70)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--builds", type=int, default=300)
    parser.add_argument("--s3", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    main(arguments.builds, arguments.s3, arguments.rounds, arguments.profile)
