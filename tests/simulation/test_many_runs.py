"""Runs that share builds, stop early, or meet what earlier runs left: each ends as its own requirements say."""

import asyncio
import hashlib
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from cluster import TARGET, Cluster
from universe import Release, Universe
from virtual_loop import run
from wheelfleet_coordinator.app import assembly
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.build import Status
from wheelfleet_shared.core.bundle import RunInputs, encode_inputs
from wheelfleet_shared.core.envelope import Aggregate, Envelope
from wheelfleet_shared.core.keys import bundle_key
from wheelfleet_shared.names import IndexName, RunId, Sha256
from wheelfleet_shared.ports import Append

TOOL = Release("tool", "1.0", seconds=20.0)
APP = Release("app", "1.0", static=("tool",))
Story = Callable[[Cluster, assembly.Assembled], Coroutine[Any, Any, None]]


def tell(releases: list[Release], story: Story, *, agents: int = 1) -> None:
    async def main(loop: asyncio.AbstractEventLoop) -> None:
        cluster = Cluster(loop, Universe(releases))
        parts = cluster.start_coordinator()
        tasks = [cluster.start_agent(f"a{number}") for number in range(agents)]
        await story(cluster, parts)
        assert parts.state.world.ignored == 0
        assert len(tasks) == agents

    run(main)


async def append(cluster: Cluster, aggregate: Aggregate, event: e.Event, expected: int = 0) -> None:
    envelope = Envelope(cluster.new_id(), cluster.clock.now(), event)
    await cluster.log("operator-ann").append([Append(aggregate, expected, (envelope,))])


async def append_next(cluster: Cluster, parts: assembly.Assembled, aggregate: Aggregate, event: e.Event) -> None:
    await append(cluster, aggregate, event, parts.state.world.expected(aggregate))


async def submit_constrained(cluster: Cluster, name: str, requirement: str, constraint: str) -> RunId:
    data = encode_inputs(RunInputs(((constraint, "constraints.txt:1"),)))
    digest = Sha256(hashlib.sha256(data).hexdigest())
    await cluster.blobs.put(bundle_key(digest), data, "application/json")
    event = e.RunSubmitted(RunId(name), IndexName(), (TARGET,), (requirement,), bundle=digest)
    await append(cluster, Aggregate("run", name), event)
    return RunId(name)


def events_of(cluster: Cluster, kind: type[e.Event]) -> list[e.Event]:
    recorded = cluster.stream.events(0, len(cluster.stream.messages))
    return [item.event for item in recorded if isinstance(item.event, kind)]


@pytest.mark.rule("source-9")
def test_a_run_that_rules_out_a_requirement_does_not_take_the_build_from_another() -> None:
    async def story(cluster: Cluster, parts: assembly.Assembled) -> None:
        first = await cluster.submit("app", run="r1")
        await asyncio.sleep(5.0)
        second = await submit_constrained(cluster, "r2", "app", "tool>=2")
        assert (await cluster.finished(parts, second, 600.0)).outcome == "failed"
        assert (await cluster.finished(parts, first, 600.0)).outcome == "succeeded"

    tell([TOOL, APP], story)


def test_the_earliest_run_leaves_a_build_that_it_rules_out_to_the_next() -> None:
    async def story(cluster: Cluster, parts: assembly.Assembled) -> None:
        first = await submit_constrained(cluster, "r1", "app", "tool>=2")
        second = await cluster.submit("app", run="r2")
        assert (await cluster.finished(parts, first, 600.0)).outcome == "failed"
        assert (await cluster.finished(parts, second, 600.0)).outcome == "succeeded"

    tell([TOOL, APP], story)


@pytest.mark.rule("daily-10")
def test_a_run_that_fails_fast_stops_without_opening_again_what_it_dropped() -> None:
    others = [Release(f"slow{number}", "1.0", seconds=60.0) for number in range(4)]

    async def story(cluster: Cluster, parts: assembly.Assembled) -> None:
        names = [other.name for other in others]
        name = await cluster.submit("bad", *names, fail_fast=True)
        finished = await cluster.finished(parts, name, 600.0)
        assert finished.outcome == "failed"
        assert events_of(cluster, e.BuildReopened) == []
        assert not parts.state.world.by_status[Status.QUEUED]

    tell([Release("bad", "1.0", seconds=3.0, fails=True), *others], story)


def test_what_is_built_when_its_run_is_cancelled_is_published_all_the_same() -> None:
    async def story(cluster: Cluster, parts: assembly.Assembled) -> None:
        head = cluster.blobs.head

        async def slow(key: str) -> object:
            await asyncio.sleep(2.0)
            return await head(key)

        cluster.blobs.head = slow  # type: ignore[method-assign, assignment]
        name = await cluster.submit("tool", run="r1")
        while not events_of(cluster, e.WheelBuilt):
            await asyncio.sleep(0.1)
        await append_next(cluster, parts, Aggregate("run", name), e.RunCancelRequested())
        assert (await cluster.finished(parts, name, 600.0)).outcome == "cancelled"
        again = await cluster.submit("tool", run="r2")
        assert (await cluster.finished(parts, again, 600.0)).outcome == "succeeded"
        assert cluster.built() == [("tool", "1.0")]
        assert not parts.state.world.by_status[Status.CANCELLED]

    tell([TOOL], story)


def test_a_withdrawn_wheel_is_built_again_for_the_next_run() -> None:
    async def story(cluster: Cluster, parts: assembly.Assembled) -> None:
        first = await cluster.submit("app", run="r1")
        await cluster.finished(parts, first, 600.0)
        file = next(iter(parts.state.world.projects[IndexName(), "tool"]))
        await append_next(cluster, parts, Aggregate("file", file), e.WheelWithdrawn("a bad one"))
        second = await cluster.submit("app", run="r2")
        assert (await cluster.finished(parts, second, 600.0)).outcome == "succeeded"
        assert cluster.built().count(("tool", "1.0")) == 2

    tell([TOOL, APP], story)


def test_a_deterministic_failure_is_tried_once_a_run() -> None:
    async def story(cluster: Cluster, parts: assembly.Assembled) -> None:
        for name in ("r1", "r2"):
            found = await cluster.submit("bad", run=name)
            assert (await cluster.finished(parts, found, 600.0)).outcome == "failed"
        assert cluster.built() == [("bad", "1.0")] * 2

    tell([Release("bad", "1.0", fails=True)], story, agents=2)


def test_a_run_waits_for_an_agent_that_offers_its_target() -> None:
    async def story(cluster: Cluster, parts: assembly.Assembled) -> None:
        name = await cluster.submit("tool")
        await asyncio.sleep(500.0)
        assert parts.executor.faults == 0
        tasks = [cluster.start_agent("late")]
        assert (await cluster.finished(parts, name, 60.0)).outcome == "succeeded"
        assert len(tasks) == 1

    tell([TOOL], story, agents=0)
