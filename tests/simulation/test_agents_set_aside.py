"""An agent that spoils every build: it is found out, and the runs end without it."""

import asyncio
from collections.abc import Callable

from cluster import Cluster
from test_many_runs import append_next, events_of
from universe import Release, Universe
from virtual_loop import run
from wheelfleet_agent.app.ports import AttemptEnded, Builder, LogSink, Result, Upload
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.envelope import Aggregate
from wheelfleet_shared.core.messages import Work

BAD = "agent-bad"


class FullDisk:
    """A builder whose disk is full."""

    async def carry_out(self, work: Work, phase: Callable[[str], None], log: LogSink, upload: Upload) -> Result:
        await asyncio.sleep(0.1)
        raise AttemptEnded("disk_full", "no space left on device")


class ClusterWithSpoiler(Cluster):
    def builder(self, agent: str) -> Builder:
        return FullDisk() if agent == "bad" else super().builder(agent)


def test_an_agent_that_spoils_builds_gets_no_more_until_a_person_looked() -> None:
    async def main(loop: asyncio.AbstractEventLoop) -> None:
        cluster = ClusterWithSpoiler(loop, Universe([Release(f"p{number}", "1.0") for number in range(12)]))
        parts = cluster.start_coordinator()
        spoiler = cluster.start_agent("bad", 2)
        await asyncio.sleep(1.0)
        good = cluster.start_agent("good", 2)
        run_id = await cluster.submit(*(f"p{number}" for number in range(12)))
        assert (await cluster.finished(parts, run_id)).outcome == "succeeded"
        await asyncio.sleep(5.0)
        world = parts.state.world
        (told,) = events_of(cluster, e.AgentQuarantined)
        assert len(world.agent(BAD).quarantined) == len(told.evidence) >= 3
        spoilt = len(events_of(cluster, e.AttemptAborted))
        await cluster.finished(parts, await cluster.submit("p1", run="r2", force=True))
        assert len(events_of(cluster, e.AttemptAborted)) == spoilt, "it gets nothing more"
        await append_next(cluster, parts, Aggregate("agent", BAD), e.QuarantineLifted())
        await cluster.finished(parts, await cluster.submit("p2", run="r3", force=True))
        assert world.agent(BAD).quarantined == ()
        assert world.ignored == 0
        assert not good.done()
        assert not spoiler.done()

    run(main)
