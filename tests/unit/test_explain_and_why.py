from typing import Any

import msgspec
import pytest

from story import RUN, Story, edge, stevedore
from wheelfleet_coordinator.core.explain import explain
from wheelfleet_coordinator.core.walk import Walk
from wheelfleet_coordinator.core.why import why
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core import messages as m
from wheelfleet_shared.core.build import Build, Status
from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import NodeKey, Sha256

TOOL, PBR, TOP = "setuptools==84.2.1", "pbr==7.1.3", "stevedore==5.2.0"


def explained(story: Story, name: str, *agents: m.AgentRow) -> list[str]:
    walk = Walk(story.world)
    walk.start()
    walk.instructions()
    return [line.strip() for line in explain(story.world, walk, RUN, name, agents).lines]


def agent(name: str, *targets: str, status: str = "alive", held: tuple[m.SlotRow, ...] = ()) -> m.AgentRow:
    return m.AgentRow(name, targets, 1, "none", status, 1.0, held)


def waiting_story() -> Story:
    """The tool's wheel is queued; all that need it wait."""
    story = stevedore()
    for name in (TOOL, PBR, TOP):
        story.prepare(name)
        build, plan = story.builds(name).result
        story.append("build", build, plan)
        story.append("build", build, e.BuildWanted(RUN))
    build, _ = story.builds(TOOL).result
    story.append("build", build, e.EnvironmentLocked(1, (), "d", static=True))
    story.append("build", build, e.BuildQueued())
    return story


def test_each_unmet_condition_is_told_and_who_waits():
    story = waiting_story()
    lines = explained(story, "stevedore")
    assert lines[0] == f"stevedore 5.2.0 on {story.targets[0]}: it waits for {TOOL}"
    assert f"{TOOL} (build requirement): it is queued for a free slot" in lines
    assert f"{PBR} (build requirement): it waits for {TOOL}" in lines
    tool = explained(story, "setuptools")
    assert tool[tool.index("waiting for it:") + 1 :] == [PBR, TOP]


def test_agents_that_could_and_cannot_are_told_apart():
    story = waiting_story()
    (target,) = story.targets
    for name, targets in (("agent-a", (target,)), ("agent-b", ("other",)), ("agent-c", (target,))):
        story.append("agent", name, e.AgentJoined(f"i-{name}", targets, 1), name)
    busy = m.SlotRow("agent-c", "x==1", "wheel", "hook", 1.0)
    rows = (agent("agent-a", target), agent("agent-b", "other"), agent("agent-c", target, held=(busy,)))
    lines = explained(story, TOOL, *rows, agent("agent-d", target, status="silent"))
    assert "agent-a could take it" in lines
    assert f"agent-b does not offer {target} (it offers other)" in lines
    assert "agent-c has all 1 slots busy" in lines
    assert "agent-d is silent" in lines


def test_the_version_is_told_with_its_rule_and_constraint():
    story = Story()
    story.submit("a>=1")
    chosen = edge("toplevel", "a>=1", "a==2", constraint="a<3", why="newest that a>=1 allows; kept out: 3 (constraint)")
    story.resolve("", "toplevel", chosen)
    lines = explained(story, "A")
    assert "a>=1 (constraint a<3), required by the run: newest that a>=1 allows; kept out: 3 (constraint)" in lines


def test_a_failure_is_part_of_the_explanation():
    story = stevedore()
    story.prepare(TOOL)
    build, fence = story.claim(story.builds(TOOL).result)
    story.append("build", build, e.BuildFailed(e.Failure("backend", "build_wheel", "boom", ("end",)), fence), "agent-1")
    lines = explained(story, "setuptools")
    assert lines[0].endswith(": failed")
    assert "build_wheel (backend): boom" in lines
    assert "| end" in lines


def test_an_unknown_name_is_refused_with_those_that_are_close():
    with pytest.raises(InputError) as refused:
        explained(stevedore(), "stevedor")
    assert refused.value.next_step == "did you mean stevedore?"


@pytest.mark.rule("daily-7")
def test_why_tells_every_chain_up_to_the_run():
    story = stevedore()
    text = why(story.world.graphs_of(RUN), "setuptools")
    assert text.lines[0] == TOOL
    assert "    * required by the run: stevedore==5.2.0" in text.lines
    assert any("of pbr==7.1.3" in line for line in text.lines)
    assert why(story.world.graphs_of(RUN), TOOL) == text


def test_why_ends_on_cycles():
    story = Story()
    story.submit("a")
    story.resolve("", "toplevel", edge("toplevel", "a", "a==1"))
    story.resolve("a==1", "install", edge("install", "b", "b==1"))
    story.resolve("b==1", "install", edge("install", "a", "a==1"))
    lines = why(story.world.graphs_of(RUN), "b").lines
    assert lines == (
        "b==1",
        "  * install requirement b of a==1",
        "    * required by the run: a",
        "    * install requirement a of b==1 …",
    )


def test_why_refuses_a_name_that_no_graph_has():
    with pytest.raises(InputError):
        why(stevedore().world.graphs_of(RUN), "nothing")


def test_what_machines_read_has_a_type_and_keys_in_one_style():
    story = waiting_story()
    walk = Walk(story.world)
    walk.start()
    walk.instructions()
    data: dict[str, Any] = explain(story.world, walk, RUN, TOOL, ()).data
    assert (data["type"], data["run"], data["name"]) == ("Explanation", RUN, TOOL)
    (node,) = data["nodes"]
    assert node["node"] == TOOL
    assert list(node["waited_for_by"]) == [PBR, TOP]
    assert node["failure"] is None
    assert all(key.isidentifier() and key.islower() for key in [*data, *node])


def test_how_much_waits_for_a_build_is_told():
    found = [line for line in explained(waiting_story(), TOOL) if "longest chain" in line]
    assert len(found) == 1
    assert found[0].endswith(f"longest chain that waits for it: {PBR} → {TOP}")


def test_what_is_left_to_a_faster_agent_is_told():
    story = waiting_story()
    (target,) = story.targets
    for name in ("agent-quick", "agent-slow"):
        story.append("agent", name, e.AgentJoined(f"i-{name}", (target,), 1), name)
    wheel, _ = story.builds(TOOL).result
    for number in range(20):
        for name, wall in (("agent-quick", 10.0), ("agent-slow", 90.0)):
            node = NodeKey(f"d{number}", "1")
            made = e.WheelBuilt(1, e.FileRef("d.whl", Sha256("0"), 1), "", (), resources=e.Resources(wall))
            plan = msgspec.structs.replace(story.builds(TOOL).result[1], node=node)
            story.world.durations.note(Build(wheel, Status.SUCCEEDED, plan, wheel=made, claims=((1, name),)))
    slow, quick = agent("agent-slow", target), agent("agent-quick", target)
    assert "agent-slow leaves it to agent-quick, which ends it earlier" in explained(story, TOOL, slow, quick)
    for_long = m.SlotRow("agent-quick", "d1==1", "wheel", "build", 1000.0)
    lines = explained(story, TOOL, slow, agent("agent-quick", target, held=(for_long,)), agent("agent-new", target))
    assert "agent-slow could take it" in lines
    assert "agent-new has not joined" in lines
