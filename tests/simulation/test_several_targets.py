"""Runs for two targets: what is pure is built once, what is native on each, and nobody knows before."""

import asyncio

import pytest

from cluster import OTHER_TARGET, TARGET, Cluster
from test_many_runs import events_of
from universe import Release, Universe
from virtual_loop import run
from wheelfleet_coordinator.core.outputs import outputs
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.build import Status

BOTH = (TARGET, OTHER_TARGET)
NATIVE = "tool-1.0-0-cp311-cp311-{}.whl"
TOOL = Release("tool", "1.0", hook=("helper",), install=("helper",), seconds=20.0)
HELPER = Release("helper", "1.0", listed=("py3-none-any",))


def bootstrapped(*releases: Release, slow: float = 0.0, outcome: str = "succeeded") -> Cluster:
    """The cluster after a run of ``tool`` on both targets. slow: seconds after which the first one's agent comes."""

    async def main(loop: asyncio.AbstractEventLoop) -> Cluster:
        cluster = Cluster(loop, Universe(list(releases)))
        parts = cluster.start_coordinator()
        agents = [cluster.start_agent("b", target=OTHER_TARGET)]
        run_id = await cluster.submit("tool", targets=BOTH)
        await asyncio.sleep(slow)
        agents.append(cluster.start_agent("a", target=TARGET))
        assert (await cluster.finished(parts, run_id)).outcome == outcome
        world = parts.state.world
        assert world.ignored == 0
        told = outputs(world, run_id)
        graphs = {told[f"work-dir/{target}/graph.json"] for target in BOTH}
        assert len(graphs) == 1, "both targets tell of all that it took"
        again = await cluster.submit("tool", run="r2", targets=BOTH)
        built = cluster.built()
        await cluster.finished(parts, again)
        if outcome == "succeeded":
            assert cluster.built() == built, "all is taken over"
        cluster.wheels = sorted(  # type: ignore[attr-defined]
            file.accepted.file.file_name for file in world.files.values() if file.accepted is not None
        )
        cluster.statuses = {  # type: ignore[attr-defined]
            (build.plan.target, build.status)
            for build in world.builds.values()
            if build.plan is not None and (build.plan.goal, build.plan.node.name) == ("wheel", "tool")
        }
        await cluster.kill_coordinator()
        for agent in agents:
            agent.cancel()
        await asyncio.gather(*agents, return_exceptions=True)
        return cluster

    return run(main)


def times(cluster: Cluster, name: str) -> int:
    return [built for built, _ in cluster.built()].count(name)


def native(**changes: object) -> Release:
    return Release(TOOL.name, TOOL.version, hook=TOOL.hook, install=TOOL.install, seconds=20.0, native=True, **changes)  # type: ignore[arg-type]


@pytest.mark.rule("pure-9")
def test_an_open_one_that_comes_out_pure_is_built_on_the_first_target_alone() -> None:
    cluster = bootstrapped(TOOL, HELPER)
    assert (times(cluster, "tool"), times(cluster, "helper")) == (1, 1)
    assert cluster.statuses == {(TARGET, Status.SUCCEEDED), (OTHER_TARGET, Status.SATISFIED)}  # type: ignore[attr-defined]


@pytest.mark.rule("pure-9")
def test_an_open_one_that_comes_out_native_is_built_on_each() -> None:
    cluster = bootstrapped(native(), HELPER)
    assert times(cluster, "tool") == 2
    assert cluster.wheels[1:] == [NATIVE.format("linux_aarch64"), NATIVE.format("linux_x86_64")]  # type: ignore[attr-defined]


def test_the_first_target_goes_first_even_if_its_agent_comes_late() -> None:
    assert times(bootstrapped(TOOL, HELPER, slow=300.0), "tool") == 1


def test_an_open_one_that_fails_on_the_first_target_is_tried_on_the_other() -> None:
    failing = Release("tool", "1.0", hook=TOOL.hook, install=TOOL.install, fails=True)
    cluster = bootstrapped(failing, HELPER, outcome="failed")
    assert times(cluster, "tool") == 4, "in both runs on both targets"


@pytest.mark.rule("pure-9")
def test_one_expected_pure_that_comes_out_native_is_split() -> None:
    cluster = bootstrapped(native(listed=("py3-none-any",)), HELPER)
    assert times(cluster, "tool") == 2
    (split,) = events_of(cluster, e.BuildSplit)
    assert len(split.tags) == 1
    assert cluster.wheels[1:] == [NATIVE.format("linux_aarch64"), NATIVE.format("linux_x86_64")]  # type: ignore[attr-defined]
    targets = {target for target, _ in cluster.statuses}  # type: ignore[attr-defined]
    assert targets == {"any", TARGET, OTHER_TARGET}
    statuses = sorted(status for _, status in cluster.statuses)  # type: ignore[attr-defined]
    assert statuses == ["satisfied", "split", "succeeded"]


@pytest.mark.rule("pure-2")
def test_one_expected_pure_that_is_pure_is_built_once_for_all() -> None:
    cluster = bootstrapped(Release("tool", "1.0", listed=("py3-none-any",)))
    assert times(cluster, "tool") == 1
    assert cluster.statuses == {("any", Status.SUCCEEDED)}  # type: ignore[attr-defined]
