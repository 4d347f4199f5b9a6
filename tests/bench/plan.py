"""Seconds and memory to plan a whole graph, from one requirement to its last page.

First the plan alone: what a coordinator decides and folds (``planner``), with index, agents and stores answering at
once. Then, with --whole, everything that a cluster does besides: coordinator and agent as they are in production over
the adapters in memory, in virtual time, where tiny real sdists and wheels are made, uploaded, verified and shown.
PYTHONPATH=shared:coordinator:agent:tests/simulation python tests/bench/plan.py [--nodes 20000] [--whole] [--profile]
"""

import argparse
import asyncio
import cProfile
import pstats
import sys
import tempfile
import time
from pathlib import Path

from machine import load, peak_mib, say
from planner import RUN, Planner
from wide_universe import AtOnce, from_memory, wide_universe

from cluster import TARGET, Cluster, SimFiles, definition
from virtual_loop import VirtualLoop
from wheelfleet_agent.app.agent import Agent, Capacity, Equipment, Times
from wheelfleet_agent.app.desk_client import DeskClient
from wheelfleet_shared.core import events as e
from wheelfleet_shared.names import Actor, RunId

SLOTS = 64
CHUNK = 30
"""Events folded between two looks: some ten milliseconds of a busy cluster."""


def start_agent(cluster: Cluster, folder: Path) -> "asyncio.Task[None]":
    """An agent with many slots, whose builds take no time."""
    actor = Actor("agent-a1")
    desk = DeskClient(cluster.log(actor), cluster.bus(actor), cluster.clock, cluster.new_id)
    agent = Agent(
        desk,
        Equipment(e.AgentJoined("i1", (TARGET,), SLOTS), (definition(),)),
        AtOnce(from_memory(cluster.blobs), folder),
        lambda work: SimFiles(cluster.blobs, desk, work, cluster.transfer(actor)),
        cluster.clock,
        lambda: Capacity(1 << 30, 1 << 30),
        Times(),
    )
    return cluster.loop.create_task(agent.run())


async def bootstrap(cluster: Cluster, folder: Path) -> e.RunFinished:
    """The run's end."""
    parts = cluster.start_coordinator()
    agent = start_agent(cluster, folder)
    run: RunId = await cluster.submit("dist-0", run="r1")
    finished = await cluster.finished(parts, run, limit=1e9)
    agent.cancel()
    await asyncio.gather(agent, return_exceptions=True)
    await cluster.kill_coordinator()
    return finished


def plan_alone(nodes: int) -> None:
    """One run of so many nodes, planned to its end, and its figures."""
    universe = wide_universe(nodes)
    wall, cpu = time.perf_counter(), time.process_time()
    planner = Planner(universe)
    planner.run("dist-0", CHUNK)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    finished = planner.world.runs[RUN].finished
    assert finished is not None
    events = planner.world.through
    say(
        f"planned {nodes} nodes ({finished.outcome}, {finished.succeeded} succeeded):"
        f" {wall:.1f} s wall, {cpu:.1f} s CPU, {cpu / nodes * 1e3:.2f} ms CPU a node,"
        f" {events} events, {planner.decided} decisions, peak {peak_mib():.0f} MiB"
    )


def measured(nodes: int) -> None:
    """One run of so many nodes, and its figures."""
    loop = VirtualLoop()
    with tempfile.TemporaryDirectory() as folder:
        cluster = Cluster(loop, wide_universe(nodes))
        wall, cpu = time.perf_counter(), time.process_time()
        finished = loop.run_until_complete(bootstrap(cluster, Path(folder)))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    events = len(cluster.stream.messages)
    say(
        f"  the whole chain of {nodes} nodes ({finished.outcome}, {finished.succeeded} succeeded):"
        f" {wall:.1f} s wall, {cpu:.1f} s CPU,"
        f" {cpu / nodes * 1e3:.2f} ms CPU a node, {events} events, {cpu / events * 1e6:.0f} µs CPU an event,"
        f" peak {peak_mib():.0f} MiB with the log and the store"
    )
    loop.close()


def main(nodes: int, whole: bool, profile: bool) -> None:
    say(f"seed 1, {load()}")
    profiler = cProfile.Profile()
    if profile:
        profiler.enable()
    for size in (nodes // 8, nodes // 4, nodes):
        plan_alone(size)
        if whole:
            measured(size)
    say(load())
    if profile:
        profiler.disable()
        pstats.Stats(profiler, stream=sys.stdout).sort_stats("tottime").print_stats(45)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=20_000)
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    main(arguments.nodes, arguments.whole, arguments.profile)
