"""Share of the time that agents spend building, with builds that sleep, through real NATS with every append on disk.

One slot an agent; all agents and the coordinator in this process. A build tool is built first, and everything else
needs it, so agents wait for each other once. The figure is the least time that the builds can take by the time from the
submission of the run to its end. Ends with 1 below 95 %.
PYTHONPATH=shared:coordinator:agent:tests/simulation:tests/integration python tests/bench/efficiency.py
    [--agents 1 4 16] [--seconds 10] [--each 6] [--folder FOLDER]
"""

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from machine import load, say
from orchestration import IN_MEMORY, Store, UrlFiles, finished, memory_store, new_id
from wide_universe import AtOnce

from cluster import TARGET, definition
from log_world import NatsWorld
from nats_server import running_nats
from universe import Release, Universe
from wheelfleet_agent.app.agent import Agent, Capacity, Equipment, Times
from wheelfleet_agent.app.desk_client import DeskClient
from wheelfleet_agent.app.ports import LogSink, Result, Upload
from wheelfleet_coordinator.adapters.source_trees import SourceTrees
from wheelfleet_coordinator.app import assembly
from wheelfleet_shared.adapters.clock import SystemClock
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core import messages as m
from wheelfleet_shared.core.envelope import Aggregate, Envelope
from wheelfleet_shared.core.permissions import Role
from wheelfleet_shared.names import IndexName, RunId
from wheelfleet_shared.ports import Append

WANTED = 0.95
SHARE = 0.1
"""Of the seconds of a build, that a source takes, and the wheel of the tool."""


class Setting(NamedTuple):
    """seconds: that a wheel's build sleeps. each: wheels an agent. folder: for the server's data."""

    agents: int
    seconds: float
    each: int
    folder: Path | None


class Sleeping(AtOnce):
    """Sleeps as long as a build is said to take, then answers."""

    def __init__(self, download: Callable[[str], Awaitable[bytes]], folder: Path, seconds: float) -> None:
        super().__init__(download, folder)
        self._seconds = seconds

    async def carry_out(self, work: m.Work, phase: Callable[[str], None], log: LogSink, upload: Upload) -> Result:
        short = work.plan.goal == "source" or work.plan.node.name == "tool"
        await asyncio.sleep(self._seconds * (SHARE if short else 1.0))
        return await super().carry_out(work, phase, log, upload)


def an_agent(desk: DeskClient, store: Store, folder: Path, seconds: float) -> Agent:
    return Agent(
        desk,
        Equipment(e.AgentJoined(new_id()[:16], (TARGET,), 1), (definition(),)),
        Sleeping(store.download, folder, seconds),
        lambda work: UrlFiles(store, desk, work),
        SystemClock(),
        lambda: Capacity(1 << 30, 1 << 30),
        Times(),
    )


def names(setting: Setting) -> list[str]:
    return [f"a{number}" for number in range(1, setting.agents + 1)]


async def one_run(setting: Setting, world: NatsWorld, store: Store, files: Path) -> float:
    """Seconds from the submission to the end."""
    wanted = [f"dist-{number}" for number in range(setting.agents * setting.each)]
    universe = Universe([Release("tool", "1.0"), *(Release(name, "1.0", static=("tool",)) for name in wanted)])
    bus = await world.bus("coordinator", "main")
    ports = assembly.Ports(
        await world.log(),
        bus,
        store.blobs,
        SystemClock(),
        universe.fetch_page,
        universe.download,
        new_id,
        SourceTrees({}),
    )
    parts = assembly.assemble(ports, assembly.Times())
    coordinator = asyncio.create_task(assembly.run(parts, bus))
    agents = []
    for name in names(setting):
        desk = DeskClient(await world.log("agent", name), await world.bus("agent", name), SystemClock(), new_id)
        folder = files / name
        folder.mkdir()
        agents.append(an_agent(desk, store, folder, setting.seconds))
    serving = [asyncio.create_task(agent.run()) for agent in agents]
    operator = await world.log("operator", "ann")
    while len(parts.state.world.agents) < setting.agents:
        await parts.state.progress.reach(parts.state.world.through + 1)
    run = RunId("r1")
    asked = e.RunSubmitted(run, IndexName(), (TARGET,), tuple(wanted))
    start = time.perf_counter()
    await operator.append([Append(Aggregate("run", run), 0, (Envelope(new_id(), time.time(), asked),))])
    end = await finished(parts, run)
    seconds = time.perf_counter() - start
    assert (end.outcome, end.succeeded) == ("succeeded", len(wanted) + 1), end
    for agent in agents:
        agent.stop()
    await asyncio.gather(*serving)
    coordinator.cancel()
    await asyncio.gather(coordinator, return_exceptions=True)
    return seconds


async def efficiency(setting: Setting) -> float:
    """The share of the best possible time in the time that a fleet took, on a server of its own."""
    actors: list[tuple[Role, str]] = [("coordinator", "main"), ("operator", "ann")]
    actors += [("agent", name) for name in names(setting)]
    with (
        tempfile.TemporaryDirectory(dir=setting.folder) as folder,
        tempfile.TemporaryDirectory(dir=IN_MEMORY) as files,
        running_nats(Path(folder), actors) as server,
    ):
        world = NatsWorld(server)
        async with memory_store(Path(folder)) as store:
            spent = time.process_time()
            seconds = await one_run(setting, world, store, Path(files))
            spent = time.process_time() - spent
            await world.close()
    wheels = setting.agents * setting.each
    builds = 2 * (wheels + 1)
    least = setting.seconds * (wheels * (1 + SHARE) + 2 * SHARE) / setting.agents
    say(
        f"{setting.agents} agents: {builds} builds in {seconds:.2f} s, at least {least:.2f} s:"
        f" {least / seconds:.1%} efficient; {spent / seconds:.0%} of a core for all of them and the coordinator"
    )
    return least / seconds


def main(settings: list[Setting]) -> int:
    logging.basicConfig(level=logging.WARNING)
    say(load())
    found = [asyncio.run(efficiency(setting)) for setting in settings]
    say(load())
    return int(min(found) < WANTED)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--each", type=int, default=6)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    sys.exit(main([Setting(n, arguments.seconds, arguments.each, arguments.folder) for n in arguments.agents]))
