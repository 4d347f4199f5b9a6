"""What is there already, built once more: it is reproduced, or it differs."""

import asyncio

from cluster import Cluster
from test_many_runs import events_of
from universe import Release, Universe
from virtual_loop import run
from wheelfleet_shared.core import events as e
from wheelfleet_shared.names import IndexName

WHEEL = "tool-1.0-0-py3-none-any.whl"


def built_twice(release: Release) -> tuple[Cluster, str, str]:
    """The cluster after a forced second run, and what the file name means before and after it."""

    async def main(loop: asyncio.AbstractEventLoop) -> tuple[Cluster, str, str]:
        cluster = Cluster(loop, Universe([release]))
        parts = cluster.start_coordinator()
        agent = cluster.start_agent("a1")
        assert (await cluster.finished(parts, await cluster.submit("tool"))).outcome == "succeeded"
        before = parts.state.world.file(IndexName(), WHEEL).accepted
        again = await cluster.submit("tool", run="r2", force=True)
        assert (await cluster.finished(parts, again)).outcome == "succeeded"
        after = parts.state.world.file(IndexName(), WHEEL).accepted
        assert before is not None
        assert after is not None
        assert parts.state.world.ignored == 0
        assert not agent.done()
        return cluster, before.file.sha256, after.file.sha256

    return run(main)


def test_a_wheel_that_installs_the_same_is_reproduced_and_the_published_bytes_stay() -> None:
    cluster, before, after = built_twice(Release("tool", "1.0"))
    assert len(cluster.built()) == 2
    (told,) = events_of(cluster, e.RebuildDiffered)
    assert told.reproduced
    assert before == after != told.wheel.sha256


def test_a_wheel_that_installs_something_else_is_told_apart_and_not_published() -> None:
    cluster, before, after = built_twice(Release("tool", "1.0", erratic=True))
    (told,) = events_of(cluster, e.RebuildDiffered)
    assert not told.reproduced
    assert before == after
