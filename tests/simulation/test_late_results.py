"""An agent that comes back with a wheel after it lost the build: told apart from the accepted one, and no more."""

import asyncio

from cluster import Cluster
from test_many_runs import events_of
from universe import Release, Universe
from virtual_loop import run
from wheelfleet_agent.app.desk_client import DeskClient
from wheelfleet_shared.core import events as e
from wheelfleet_shared.names import Actor, BuildId, Sha256


def test_a_late_wheel_changes_nothing_and_is_recorded_once() -> None:
    async def main(loop: asyncio.AbstractEventLoop) -> None:
        cluster = Cluster(loop, Universe([Release("tool", "1.0", seconds=30.0)]))
        parts = cluster.start_coordinator()
        first = cluster.start_agent("a1")
        run_id = await cluster.submit("tool")
        await asyncio.sleep(10.0)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        second = cluster.start_agent("a2")
        assert (await cluster.finished(parts, run_id)).outcome == "succeeded"
        build = next(b for b in parts.state.world.builds.values() if b.plan is not None and b.plan.goal == "wheel")
        assert build.wheel is not None
        (fence, agent), *_ = build.claims
        assert agent == "agent-a1"
        desk = DeskClient(cluster.log(agent), cluster.bus(Actor(agent)), cluster.clock, cluster.new_id)
        other = e.FileRef(build.wheel.wheel.file_name, Sha256("ab" * 32), 7)
        for _ in range(2):
            assert not await desk.report(BuildId(build.id), fence, e.WheelBuilt(fence, other, "p", ()))
        assert events_of(cluster, e.AttemptSuperseded) == [e.AttemptSuperseded(fence, other, equal=False)]
        after = parts.state.world.build(build.id)
        assert (after.status, after.wheel, after.superseded) == (build.status, build.wheel, (fence,))
        assert parts.state.world.ignored == 0
        assert not second.done()

    run(main)
