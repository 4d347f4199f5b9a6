"""Nodes that wait for one another: told once and by name, and only where nothing that is published helps."""

import pytest

from story import RUN, TARGET, Story, edge
from wheelfleet_coordinator.core import decisions
from wheelfleet_coordinator.core.instructions import GiveUp, Lock, Plan
from wheelfleet_coordinator.core.walk import Walk
from wheelfleet_shared.core import events as e
from wheelfleet_shared.names import graph_id

A, B, C = "a==1", "b==1", "c==1"


def waiting(*nodes: str, **stages: dict[str, tuple[str, ...]]) -> Story:
    """A run of the first node; ``build`` and ``install`` name what each requires. All are prepared and wanted."""
    story = Story()
    story.submit(nodes[0].partition("==")[0])
    story.resolve("", "toplevel", edge("toplevel", nodes[0].partition("==")[0], nodes[0]))
    for node in nodes:
        for stage, kind in (("build-system", "build"), ("hook", ""), ("install", "install")):
            children = stages.get(kind, {}).get(node, ())
            edges = (edge("build-system" if kind == "build" else "install", child, child) for child in children)
            story.resolve(node, stage, *edges)
    for node in nodes:
        story.prepare(node)
        build, plan = story.builds(node).result
        story.append("build", build, plan)
        story.append("build", build, e.BuildWanted(RUN))
    return story


def steps(story: Story) -> list[object]:
    walk = Walk(story.world)
    walk.start()
    return walk.instructions()


def given_up(story: Story) -> list[tuple[str, ...]]:
    return [step.chain for step in steps(story) if isinstance(step, GiveUp)]


@pytest.mark.rule("cycle-1")
@pytest.mark.parametrize("nodes", [(A, B), (B, A)])
def test_a_ring_of_build_requirements_is_told_once_from_its_least_node(nodes):
    story = waiting(*nodes, build={A: (B,), B: (A,)})
    assert given_up(story) == [(A, B, A)]
    (step,) = [step for step in steps(story) if isinstance(step, GiveUp)]
    (failed,) = decisions.give_up(story.world, step)
    assert isinstance(failed, e.BuildFailed)
    assert (failed.failure.kind, failed.failure.line) == ("policy", "build cycle: a==1 → b==1 → a==1")
    assert "pre_built" in failed.failure.hint


@pytest.mark.rule("cycle-1")
def test_a_ring_may_go_through_what_a_build_requirement_installs():
    story = waiting(A, B, C, build={A: (B,), C: (A,)}, install={B: (C,)})
    assert given_up(story) == []  # what waits for one that can be built is no ring yet
    publish(story, B)
    assert given_up(story) == [(A, C, A)]


def publish(story: Story, node: str) -> None:
    build, plan = story.builds(node).result
    wheel = e.FileRef(f"{node.replace('==', '-')}-0-py3-none-any.whl", "ab" * 32, 9)  # type: ignore[arg-type]
    story.append("build", build, e.EnvironmentLocked(1, (), "d", static=True))
    story.append("build", build, e.BuildQueued())
    fence = story.append("build", build, e.BuildClaimed(1, "i1", plan.host), "agent-1")
    story.append("build", build, e.WheelBuilt(fence, wheel, "p", ()), "agent-1")
    story.publish(node, wheel, build)
    story.append("build", build, e.BuildSucceeded())


@pytest.mark.rule("cycle-2")
def test_a_wheel_that_is_there_opens_a_ring():
    story = waiting(A, B, build={A: (B,), B: (A,)})
    publish(story, B)
    assert given_up(story) == []
    assert Lock(story.builds(A).result[0], graph_id(RUN, TARGET), story.builds(A).result[1].node) in steps(story)


@pytest.mark.rule("cycle-3")
def test_nodes_that_only_install_one_another_are_no_ring():
    story = waiting(C, A, B, build={C: (A,)}, install={A: (B,), B: (A,)})
    assert [step.node.name for step in steps(story) if isinstance(step, Lock | GiveUp)] == ["a", "b"]
    for node in (A, B):
        publish(story, node)
    assert [step.node.name for step in steps(story) if isinstance(step, Lock | GiveUp)] == ["c"]


@pytest.mark.rule("cycle-4")
def test_another_version_of_itself_is_no_ring():
    story = waiting("a==2", A, build={"a==2": (A,)})
    found = steps(story)
    assert [step for step in found if isinstance(step, GiveUp)] == []
    assert [str(step.node) for step in found if isinstance(step, Lock)] == [A]
    assert not [step for step in found if isinstance(step, Plan)]
