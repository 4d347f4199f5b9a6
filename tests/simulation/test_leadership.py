"""One coordinator leads, another stands by: work goes on whoever leads, and nothing is decided twice."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from cluster import Cluster
from test_cluster_basics import STEVEDORE
from universe import Universe
from virtual_loop import run
from wheelfleet_coordinator.adapters.memory_leadership import Election
from wheelfleet_coordinator.app import assembly
from wheelfleet_shared.core import events as e

Parts = list[assembly.Assembled]


async def elected(loop: asyncio.AbstractEventLoop) -> tuple[Cluster, Parts]:
    cluster = Cluster(loop, Universe(STEVEDORE))
    cluster.election = Election()
    parts = [cluster.start_coordinator("c1"), cluster.start_coordinator("c2")]
    cluster.tasks = [cluster.start_agent("a1")]  # type: ignore[attr-defined]
    await asyncio.sleep(1.0)
    return cluster, parts


async def depose(cluster: Cluster, parts: Parts) -> None:
    assert cluster.election is not None
    cluster.election.depose()


async def kill(cluster: Cluster, parts: Parts) -> None:
    await cluster.kill_coordinator("c1")


Disturb = Callable[[Cluster, Parts], Coroutine[Any, Any, None]]


def appended_by(cluster: Cluster, name: str) -> list[e.Event]:
    events = cluster.stream.events(0, len(cluster.stream.messages))
    return [recorded.event for recorded in events if recorded.actor == f"coordinator-{name}"]  # type: ignore[misc]


def test_a_standby_folds_and_answers_but_decides_nothing() -> None:
    async def main(loop: asyncio.AbstractEventLoop) -> None:
        cluster, (leader, standby) = await elected(loop)
        run_id = await cluster.submit("stevedore==5.2.0")
        assert (await cluster.finished(standby, run_id)).outcome == "succeeded"
        assert (leader.coordinator.leading, standby.coordinator.leading) == (True, False)
        assert appended_by(cluster, "c2") == []
        assert standby.state.world.ignored == 0

    run(main)


@pytest.mark.parametrize("disturb", [depose, kill])
@pytest.mark.parametrize("after", [0.0, 1.0, 4.0, 7.0, 12.0])
def test_another_leader_goes_on_from_the_log(disturb: Disturb, after: float) -> None:
    async def main(loop: asyncio.AbstractEventLoop) -> None:
        cluster, parts = await elected(loop)
        run_id = await cluster.submit("stevedore==5.2.0")
        await asyncio.sleep(after)
        await disturb(cluster, parts)
        finished = await cluster.finished(parts[1], run_id, 600.0)
        assert finished.outcome == "succeeded"
        assert len(cluster.built()) == 3
        assert parts[1].state.world.ignored == 0
        assert sum(part.coordinator.leading for part in parts if part in _alive(cluster)) == 1

    run(main)


def _alive(cluster: Cluster) -> Parts:
    return [parts for parts, _ in cluster.coordinators.values()]


def test_one_that_led_before_leads_again_with_fresh_eyes() -> None:
    async def main(loop: asyncio.AbstractEventLoop) -> None:
        cluster, parts = await elected(loop)
        first = await cluster.submit("pbr", run="r1")
        assert cluster.election is not None
        for _ in range(12):
            await asyncio.sleep(0.7)
            cluster.election.depose()
        await cluster.finished(parts[0], first, 600.0)
        second = await cluster.submit("stevedore==5.2.0", run="r2")
        for _ in range(7):
            await asyncio.sleep(0.9)
            cluster.election.depose()
        assert (await cluster.finished(parts[0], second, 600.0)).outcome == "succeeded"
        assert len(cluster.built()) == 3

    run(main)


def test_two_that_both_lead_are_harmless() -> None:
    async def main(loop: asyncio.AbstractEventLoop) -> None:
        cluster = Cluster(loop, Universe(STEVEDORE))
        parts = [cluster.start_coordinator("c1"), cluster.start_coordinator("c2")]
        tasks = [cluster.start_agent("a1"), cluster.start_agent("a2")]
        run_id = await cluster.submit("stevedore==5.2.0")
        assert (await cluster.finished(parts[0], run_id, 600.0)).outcome == "succeeded"
        assert len(cluster.built()) == 3
        assert parts[0].state.world.ignored == 0
        assert sum(part.committer.conflicts for part in parts) > 0
        assert len(tasks) == 2

    run(main)
