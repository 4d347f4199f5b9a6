"""The whole cluster without faults: what a user sees of a run."""

import asyncio

import pytest

from cluster import Cluster
from universe import Release, Universe
from virtual_loop import run

STEVEDORE = [
    Release("setuptools", "84.2.1"),
    Release("setuptools", "73.0.1"),
    Release("pbr", "7.1.3", static=("setuptools>=64",), install=("setuptools",)),
    Release("stevedore", "5.2.0", static=("setuptools>=40.8.0",), hook=("pbr>=2.0.0",), install=("pbr>=2.0.0",)),
]


def simulate(releases: list[Release], *requirements: str, agents: int = 1) -> tuple[Cluster, object]:
    async def main(loop: asyncio.AbstractEventLoop) -> tuple[Cluster, object]:
        cluster = Cluster(loop, Universe(releases))
        parts = cluster.start_coordinator()
        workers = [cluster.start_agent(f"a{number}") for number in range(agents)]
        run_id = await cluster.submit(*requirements)
        finished = await cluster.finished(parts, run_id)
        await cluster.kill_coordinator()
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        return cluster, finished

    return run(main)


def test_a_tree_is_built_bottom_up() -> None:
    cluster, finished = simulate(STEVEDORE, "stevedore==5.2.0")
    assert finished.outcome == "succeeded"
    assert cluster.built() == [("setuptools", "84.2.1"), ("pbr", "7.1.3"), ("stevedore", "5.2.0")]


@pytest.mark.rule("hook-1", "hook-5")
def test_each_hook_is_asked_once() -> None:
    cluster, _ = simulate(STEVEDORE, "stevedore==5.2.0", agents=3)
    assert len(cluster.calls) == len(set(cluster.calls)) == 6
