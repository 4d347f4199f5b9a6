"""Wheels that the store loses, or an operator withdraws: the runs that want them get them again."""

import asyncio

from cluster import Cluster
from test_many_runs import append_next, events_of
from universe import Release, Universe
from virtual_loop import run
from wheelfleet_coordinator.app import assembly
from wheelfleet_coordinator.core.index_pages import page_of
from wheelfleet_coordinator.core.outputs import outputs
from wheelfleet_shared.adapters.memory_blobs import MemoryBlobs
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.build import Status
from wheelfleet_shared.core.envelope import Aggregate, Envelope
from wheelfleet_shared.core.file import WheelFile
from wheelfleet_shared.errors import InfrastructureError
from wheelfleet_shared.names import IndexName, RunId
from wheelfleet_shared.ports import Append

TOOL = Release("tool", "1.0", seconds=5.0)
SLOW = Release("slow", "1.0", seconds=120.0)
LONG = Release("long", "1.0", seconds=90.0)
APP = Release("app", "1.0", static=("tool", "slow"))
INDEX = IndexName()
WHEEL = "tool-1.0-0-py3-none-any.whl"


async def lose_wheels(cluster: Cluster) -> None:
    for info in [info async for info in cluster.blobs.list("blobs/")]:
        if "/tool-" in info.key:
            await cluster.blobs.delete(info.key)


async def published(parts: assembly.Assembled) -> None:
    async with asyncio.timeout(600):
        while parts.state.world.file(INDEX, WHEEL).status != "published":
            await asyncio.sleep(1.0)


def started(releases: list[Release]) -> Cluster:
    return Cluster(asyncio.get_running_loop(), Universe(releases))


async def check(cluster: Cluster, parts: assembly.Assembled, run_id: RunId, built: list[str]) -> None:
    assert (await cluster.finished(parts, run_id)).outcome == "succeeded"
    assert [name for name, _ in cluster.built()] == built
    assert parts.state.world.ignored == 0
    page = page_of(parts.state.world, INDEX, "tool", "html")
    assert page == await cluster.blobs.get("indexes/main/cpu/simple/tool/index.html")
    assert b"tool-1.0" in page
    assert "work-dir/graph.json" in outputs(parts.state.world, run_id)


def test_a_later_run_builds_a_wheel_that_the_store_lost_meanwhile() -> None:
    async def main(_: asyncio.AbstractEventLoop) -> None:
        cluster = started([TOOL])
        parts = cluster.start_coordinator()
        agent = cluster.start_agent("a1")
        await cluster.finished(parts, await cluster.submit("tool"))
        assert await parts.reconciler.look() == (), "nothing is lost"
        await lose_wheels(cluster)
        await cluster.kill_coordinator()
        parts = cluster.start_coordinator()
        await asyncio.sleep(1.0)
        assert [event.reason for event in events_of(cluster, e.WheelLost)] == ["the store does not have it any more"]
        assert page_of(parts.state.world, INDEX, "tool", "html") != b""
        await check(cluster, parts, await cluster.submit("tool", run="r2"), ["tool", "tool"])
        assert [event.reason for event in events_of(cluster, e.BuildReopened)] == ["lost"]
        assert not agent.done()

    run(main)


def test_a_wheel_lost_before_its_dependent_starts_is_built_again_first() -> None:
    async def main(_: asyncio.AbstractEventLoop) -> None:
        cluster = started([TOOL, SLOW, APP])
        parts = cluster.start_coordinator()
        agent = cluster.start_agent("a1", 2)
        run_id = await cluster.submit("app")
        await published(parts)
        await lose_wheels(cluster)
        await check_in_any_order(cluster, parts, run_id)
        assert not agent.done()

    run(main)


async def check_in_any_order(cluster: Cluster, parts: assembly.Assembled, run_id: RunId) -> None:
    assert (await cluster.finished(parts, run_id)).outcome == "succeeded"
    names = [name for name, _ in cluster.built()]
    assert sorted(names) == ["app", "slow", "tool", "tool"]
    assert names[-1] == "app"
    assert parts.state.world.ignored == 0
    assert len(events_of(cluster, e.AttemptAborted)) == 1, "one download fails, then it is known"


def test_a_withdrawn_wheel_is_built_again_as_another_revision_and_queued_builds_are_locked_anew() -> None:
    async def main(_: asyncio.AbstractEventLoop) -> None:
        cluster = started([TOOL, APP, SLOW, LONG])
        parts = cluster.start_coordinator()
        agent = cluster.start_agent("a1", 2)
        run_id = await cluster.submit("tool", "slow")
        await cluster.finished(parts, run_id)
        agent.cancel()
        await asyncio.gather(agent, return_exceptions=True)
        agent = cluster.start_agent("a2", 1)
        second = await cluster.submit("long", "app", run="r2")
        async with asyncio.timeout(600):
            while not any(build.plan.node.name == "app" and build.status is Status.QUEUED and build.lock
                          for build in parts.state.world.builds.values()):  # fmt: skip
                await asyncio.sleep(0.01)
        file = parts.state.world.file(INDEX, WHEEL)
        await append_next(cluster, parts, Aggregate("file", file.id), e.WheelWithdrawn("bad"))
        await check(cluster, parts, second, ["tool", "slow", "tool", "long", "app"])
        assert parts.state.world.revisions == {(INDEX, WHEEL): 1}
        assert len([event for event in events_of(cluster, e.EnvironmentLocked) if event.generation == 2]) == 1
        assert events_of(cluster, e.AttemptAborted) == []
        assert not agent.done()

    run(main)


class HalfWay(MemoryBlobs):
    """A store that takes wheels and, while ``refuses``, no metadata: wheels are accepted and not published."""

    refuses = True

    async def put(self, key: str, data: bytes, content_type: str) -> None:
        if self.refuses and key.endswith(".metadata"):
            raise InfrastructureError("the store answered 503")
        await super().put(key, data, content_type)


async def left_half_way(cluster: Cluster, release: Release) -> tuple[RunId, WheelFile]:
    """A coordinator died between the acceptance of a wheel and its publication."""
    blobs = cluster.blobs = HalfWay(cluster.clock)
    agent = cluster.start_agent("a1")
    parts = cluster.start_coordinator()
    run_id = await cluster.submit(release.name)
    async with asyncio.timeout(600):
        while parts.state.world.file(INDEX, WHEEL).status != "accepted":
            await asyncio.sleep(1.0)
    await cluster.kill_coordinator()
    blobs.refuses = False
    assert not agent.done()
    return run_id, parts.state.world.file(INDEX, WHEEL)


def test_a_wheel_lost_between_its_acceptance_and_its_publication_is_built_again() -> None:
    async def main(_: asyncio.AbstractEventLoop) -> None:
        cluster = started([TOOL])
        run_id, _ = await left_half_way(cluster, TOOL)
        await lose_wheels(cluster)
        parts = cluster.start_coordinator()
        await check(cluster, parts, run_id, ["tool", "tool"])
        assert parts.state.world.revisions == {(INDEX, WHEEL): 1}

    run(main)


def test_a_wheel_that_an_attempt_left_half_way_is_published_before_the_next_is_judged() -> None:
    erratic = Release("tool", "1.0", erratic=True)

    async def main(_: asyncio.AbstractEventLoop) -> None:
        cluster = started([erratic])
        run_id, file = await left_half_way(cluster, erratic)
        assert file.accepted is not None
        log = cluster.log("coordinator-c1")
        *_, claim, last = await log.read_aggregate(Aggregate("build", file.accepted.build))
        aborted = Envelope("a", cluster.clock.now(), e.AttemptAborted(claim.sequence, "upload", "not shown at once"))
        await log.append([Append(claim.aggregate, last.sequence, (aborted,))])
        parts = cluster.start_coordinator()
        await check(cluster, parts, run_id, ["tool", "tool"])
        assert parts.state.world.file(INDEX, WHEEL).accepted == file.accepted

    run(main)
