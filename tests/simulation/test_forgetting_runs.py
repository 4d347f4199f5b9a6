"""A cluster that forgets: what is asked for again later comes out as if it had never been forgotten."""

import asyncio

from cluster import Cluster
from test_cluster_basics import STEVEDORE
from universe import Release, Universe
from virtual_loop import run
from wheelfleet_coordinator.app import assembly
from wheelfleet_coordinator.app.collecting import Collector
from wheelfleet_coordinator.core.outputs import outputs
from wheelfleet_shared.core import messages as m
from wheelfleet_shared.names import RunId

DAY = 86_400.0


def collector(cluster: Cluster, parts: assembly.Assembled) -> Collector:
    return Collector(parts.state.world, parts.committer, cluster.blobs)


async def collected(cluster: Cluster, parts: assembly.Assembled, *, dry_run: bool = False) -> m.Text:
    asked = m.Collect(dry_run, older_than=DAY, keep=0)
    return await collector(cluster, parts).collect(asked, now=cluster.clock.now() + 2 * DAY)


async def keys(cluster: Cluster, prefix: str) -> list[str]:
    return [info.key async for info in cluster.blobs.list(prefix)]


def test_a_run_after_the_collection_takes_all_over_without_a_source() -> None:
    async def main(loop: asyncio.AbstractEventLoop) -> None:
        cluster = Cluster(loop, Universe(STEVEDORE))
        parts = cluster.start_coordinator()
        agent = cluster.start_agent("a1")
        first = await cluster.submit("stevedore==5.2.0")
        await cluster.finished(parts, first)
        graph = outputs(parts.state.world, first)["work-dir/graph.json"]
        wheels = await keys(cluster, "blobs/")
        told = await collected(cluster, parts, dry_run=True)
        assert parts.state.world.runs[first].finished is not None
        done = await collected(cluster, parts)
        assert (told.data["bytes"], told.data["runs"]) == (done.data["bytes"], done.data["runs"] == [first] and [first])
        assert await keys(cluster, "sources/") == await keys(cluster, "pages/") == []
        assert await keys(cluster, "blobs/") == wheels
        built, downloads = cluster.built(), cluster.universe.downloads
        again = await cluster.submit("stevedore==5.2.0", run="r2")
        assert (await cluster.finished(parts, again)).outcome == "succeeded"
        assert outputs(parts.state.world, again)["work-dir/graph.json"] == graph
        assert (cluster.built(), cluster.universe.downloads) == (built, downloads)
        assert parts.state.world.ignored == 0
        assert not agent.done()

    run(main)


def test_what_failed_and_was_forgotten_is_fetched_and_prepared_anew() -> None:
    async def main(loop: asyncio.AbstractEventLoop) -> None:
        cluster = Cluster(loop, Universe([Release("broken", "1.0", fails=True)]))
        parts = cluster.start_coordinator()
        agent = cluster.start_agent("a1")
        assert (await cluster.finished(parts, await cluster.submit("broken"))).outcome == "failed"
        await collected(cluster, parts)
        assert await keys(cluster, "") == []
        again = await cluster.submit("broken", run="r2")
        assert (await cluster.finished(parts, again)).outcome == "failed"
        assert (len(cluster.built()), cluster.universe.downloads) == (2, 2)
        assert not agent.done()

    run(main)


def test_an_active_run_keeps_what_it_leads_to() -> None:
    async def main(loop: asyncio.AbstractEventLoop) -> None:
        cluster = Cluster(loop, Universe(STEVEDORE))
        parts = cluster.start_coordinator()
        agent = cluster.start_agent("a1")
        first = await cluster.submit("pbr==7.1.3")
        await cluster.finished(parts, first)
        second = await cluster.submit("stevedore==5.2.0", run="r2")
        await asyncio.sleep(3.0)
        done = await collected(cluster, parts)
        assert done.data["runs"] == [first]
        assert RunId(second) in parts.state.world.active_runs()
        assert (await cluster.finished(parts, second)).outcome == "succeeded"
        assert [name for name, _ in cluster.built()] == ["setuptools", "pbr", "stevedore"]
        assert not agent.done()

    run(main)
