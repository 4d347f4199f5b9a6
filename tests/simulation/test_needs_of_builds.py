"""What settings say a build needs of its agent: to be alone there, labels."""

import asyncio
import hashlib

from cluster import TARGET, Cluster
from sim_builder import SimBuilder
from universe import Release, Universe
from virtual_loop import run
from wheelfleet_agent.app.ports import Builder
from wheelfleet_coordinator.core.explain import explain
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core import messages as m
from wheelfleet_shared.core.bundle import Customisation, RunInputs, encode_inputs
from wheelfleet_shared.core.keys import bundle_key
from wheelfleet_shared.names import Sha256

NAMES = [f"small-{number}" for number in range(6)]
TREE = [Release("huge", "1.0", seconds=60), *(Release(name, "1.0", seconds=7) for name in NAMES)]


class Watching(SimBuilder):
    """Notes who was on the agent while a build went on."""

    def __init__(self, below: SimBuilder, seen: dict[str, set[str]]) -> None:
        super().__init__(below._blobs, below._calls)
        self._seen = seen
        self._here: list[str] = []

    async def carry_out(self, work, phase, log, upload):
        name = f"{work.plan.goal} {work.plan.node.name}"
        self._here.append(name)
        for one in self._here:
            self._seen.setdefault(one, set()).update(self._here)
        try:
            return await super().carry_out(work, phase, log, upload)
        finally:
            self._here.remove(name)


class Watched(Cluster):
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop, Universe(TREE))
        self.seen: dict[str, set[str]] = {}

    def builder(self, agent: str) -> Builder:
        return Watching(SimBuilder(self.blobs, self.calls), self.seen)

    async def submit_with(self, settings: str, *requirements: str, name: str = "r1"):
        data = encode_inputs(RunInputs(customisation=Customisation("cpu", {"settings/huge.yaml": settings.encode()})))
        digest = Sha256(hashlib.sha256(data).hexdigest())
        await self.blobs.put(bundle_key(digest), data, "application/json")
        return await self.submit(*requirements, run=name, bundle=digest)


def test_an_exclusive_build_is_alone_and_ends_with_its_run() -> None:
    async def main(loop: asyncio.AbstractEventLoop) -> tuple[Watched, e.RunFinished]:
        cluster = Watched(loop)
        parts = cluster.start_coordinator()
        agents = [cluster.start_agent(name, slots=3) for name in ("a1", "a2")]
        run_id = await cluster.submit_with("build_options: {exclusive_build: true}", "huge", *NAMES)
        finished = await cluster.finished(parts, run_id)
        await cluster.kill_coordinator()
        for agent in agents:
            agent.cancel()
        await asyncio.gather(*agents, return_exceptions=True)
        return cluster, finished

    cluster, finished = run(main)
    assert finished.outcome == "succeeded"
    assert cluster.seen["wheel huge"] == {"wheel huge"}
    assert any(len(cluster.seen[f"wheel {name}"]) > 1 for name in NAMES)


def test_a_build_waits_for_an_agent_with_its_label_and_says_so() -> None:
    async def main(loop: asyncio.AbstractEventLoop) -> list[str]:
        cluster = Watched(loop)
        parts = cluster.start_coordinator()
        agent = cluster.start_agent("a1")
        run_id = await cluster.submit_with("requires_labels: [big]", "huge", "small-0")
        await asyncio.sleep(600)
        row = m.AgentRow("agent-a1", (TARGET,), 2, "none", "alive", 1.0)
        told = explain(parts.state.world, parts.state.walk, run_id, "huge", [row]).lines
        assert ("small-0", "1.0") in cluster.built()
        assert ("huge", "1.0") not in cluster.built()
        await cluster.kill_coordinator()
        agent.cancel()
        await asyncio.gather(agent, return_exceptions=True)
        return [line.strip() for line in told]

    assert "agent-a1 lacks the label big (it has none)" in run(main)
