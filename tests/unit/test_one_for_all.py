"""Who builds first what may be pure, and how a build for all targets ends."""

import pytest

from event_samples import BY_KIND
from story import RUN, TARGET, Story, edge, key_of
from wheelfleet_coordinator.core.one_for_all import goes_first
from wheelfleet_coordinator.core.standing import Stand, Standing, node_builds
from wheelfleet_coordinator.core.waits import reason
from wheelfleet_coordinator.core.walk import Walk
from wheelfleet_coordinator.core.wheel_verdict import verdict_on
from wheelfleet_shared.core import events as e
from wheelfleet_shared.names import ANY_TARGET, TargetId, graph_id

OTHER = TargetId("cp311-linux_aarch64")
NODE = "tool==1.0"
KEY = key_of(NODE)


def two_targets(expectation: e.Expectation = "open") -> Story:
    story = Story(TARGET, OTHER)
    story.submit("tool")
    for target in (TARGET, OTHER):
        story.resolve("", "toplevel", edge("toplevel", "tool", NODE, expectation=expectation), target=target)
    return story


def first_for(story: Story, target: TargetId, stand: Stand | None = None) -> TargetId | None:
    graph = story.world.graphs[graph_id(RUN, target)]
    standings = {(graph_id(RUN, TARGET), KEY): Standing(stand)} if stand is not None else {}
    return goes_first(story.world, graph, graph.nodes[KEY], standings)


@pytest.mark.parametrize("stand", [None, *Stand])
def test_the_second_target_waits_until_the_first_has_an_end(stand: Stand | None):
    story = two_targets()
    assert first_for(story, TARGET, stand) is None
    ended = stand in {Stand.PUBLISHED, Stand.FAILED}
    assert first_for(story, OTHER, stand) == (None if ended else TARGET)


@pytest.mark.parametrize("expectation", ["pure", "native"])
def test_nobody_waits_where_it_is_known(expectation: e.Expectation):
    assert first_for(two_targets(expectation), OTHER) is None


def test_a_target_that_does_not_have_the_node_or_no_agent_yet_is_not_waited_for():
    story = two_targets()
    del story.world.graphs[graph_id(RUN, TARGET)].nodes[KEY]
    assert first_for(story, OTHER) is None
    story = two_targets()
    del story.world.targets[TARGET]
    assert first_for(story, OTHER) is None


def test_waiting_for_another_target_is_said():
    story = two_targets()
    graph = story.world.graphs[graph_id(RUN, OTHER)]
    assert "builds it first" in reason(Walk(story.world), graph, Standing(Stand.WAITING, behind=TARGET))


@pytest.mark.parametrize(
    ("target", "tag", "kind"),
    [
        (ANY_TARGET, "py3-none-any", e.BuildSucceeded),
        (ANY_TARGET, "cp311-cp311-linux_x86_64", e.BuildSplit),
        (TARGET, "cp311-cp311-linux_x86_64", e.BuildSucceeded),
    ],
)
def test_only_a_pure_wheel_ends_a_build_for_all_targets_well(target: TargetId, tag: str, kind: type):
    plan = BY_KIND[e.BuildPlanned]
    planned = type(plan)(**{name: getattr(plan, name) for name in plan.__struct_fields__} | {"target": target})
    verdict = verdict_on(planned, f"tool-1.0-0-{tag}.whl")
    assert type(verdict) is kind
    assert getattr(verdict, "tags", (tag,)) == (tag,)


def test_after_a_split_each_target_has_a_build_of_its_own():
    story = two_targets("pure")
    graph = story.world.graphs[graph_id(RUN, OTHER)]
    build, plan = story.builds(NODE).result
    assert plan.target == ANY_TARGET
    assert node_builds(story.world, graph, graph.nodes[KEY]).result[0] == build  # type: ignore[union-attr]
    _, fence = story.claim((build, plan))
    wheel = e.FileRef("tool-1.0-0-cp311-cp311-linux_x86_64.whl", plan.source.sha256, 1)
    story.append("build", build, e.WheelBuilt(fence, wheel, "p", ()), "agent-1")
    story.append("build", build, e.BuildSplit(("cp311-cp311-linux_x86_64",)))
    assert story.builds(NODE).result[1].target == TARGET
    assert node_builds(story.world, graph, graph.nodes[KEY]).result[1].target == OTHER  # type: ignore[union-attr]
    assert story.world.ignored == 0
