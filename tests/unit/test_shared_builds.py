"""One build for several targets: planned for all of them, or taken over by those that its wheel serves."""

import pytest

from story import FILES, RUN, Story, edge, sha256_of
from wheelfleet_coordinator.core import ending_decisions
from wheelfleet_coordinator.core.instructions import Instruction, Plan, Refuse, Resolve, Satisfy
from wheelfleet_coordinator.core.resolve_stage import holding
from wheelfleet_coordinator.core.walk import Walk
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.targets import TargetDefinition
from wheelfleet_shared.names import ANY_TARGET, RunId, TargetId, graph_id

OLD, NEW = TargetId("cp311-linux_x86_64"), TargetId("cp312-linux_x86_64")
TAGS = {
    OLD: ("cp311-cp311-linux_x86_64", "cp311-abi3-linux_x86_64", "py3-none-linux_x86_64", "py3-none-any"),
    NEW: ("cp312-cp312-linux_x86_64", "cp311-abi3-linux_x86_64", "py3-none-linux_x86_64", "py3-none-any"),
}
LATER = RunId("r2")


class Targets(Story):
    """A story on two Pythons of one machine."""

    def __init__(self) -> None:
        super().__init__()
        self.targets = (OLD, NEW)
        for target, python in ((OLD, "3.11"), (NEW, "3.12")):
            markers = {"python_version": python, "python_full_version": f"{python}.1"}
            definition = TargetDefinition(
                target, "cpython", python, f"cp{python}", "x86_64", "glibc", "2.28", markers, TAGS[target]
            )
            self.world.targets.pop(target, None)
            self.append("target", target, e.TargetDefined(definition), "agent-1")

    def require(self, expectation: e.Expectation, run: RunId = RUN, **changes) -> None:
        self.submit("a", run=run)
        for target in self.targets:
            toplevel = edge("toplevel", "a", "a==1", expectation=expectation, **changes)
            self.resolve("", "toplevel", toplevel, target=target, run=run)

    def next_steps(self, target: TargetId, run: RunId = RUN) -> list[Instruction]:
        """What is to be done in the graph of one target."""
        walk = Walk(self.world)
        walk.start()
        own = {id_ for id_, _ in (self.builds("a==1", target, run).result, self.builds("a==1", target, run).source)}
        return [
            step
            for step in walk.instructions()
            if getattr(step, "graph", None) == graph_id(run, target)
            or (isinstance(step, Plan | Satisfy | Refuse) and step.build in own)
        ]


def wheel(tags: str) -> e.FileRef:
    name = f"a-1-0-{tags}.whl"
    return e.FileRef(name, sha256_of(name), 9)


@pytest.mark.parametrize(("expectation", "builds"), [("pure", 1), ("native", 2), ("open", 2)])
@pytest.mark.rule("pure-2")
def test_what_is_expected_to_be_pure_is_one_build_for_all_targets(expectation, builds):
    story = Targets()
    story.require(expectation)
    planned = {story.builds("a==1", target).result[0]: story.builds("a==1", target).result[1] for target in (OLD, NEW)}
    assert len(planned) == builds
    assert {plan.target for plan in planned.values()} == ({ANY_TARGET} if builds == 1 else {OLD, NEW})
    assert len({plan.key for plan in planned.values()}) == 1


@pytest.mark.parametrize(
    ("tags", "serves"),
    [
        ("py2.py3-none-any", True),
        ("cp311-abi3-linux_x86_64", True),
        ("py3-none-linux_x86_64", True),
        ("cp311-cp311-linux_x86_64", False),
    ],
)
@pytest.mark.rule("pure-6")
def test_a_target_takes_over_the_wheel_of_another_that_has_one_of_its_tags(tags, serves):
    story = Targets()
    story.require("open")
    story.build("a==1", wheel(tags))
    found = [step for step in story.next_steps(NEW) if isinstance(step, Satisfy)]
    events = [type(event) for step in found for event in ending_decisions.satisfy(story.world, step)]
    assert events == ([e.BuildPlanned, e.BuildWanted, e.BuildSatisfied] if serves else [])


@pytest.mark.rule("pure-6")
def test_what_waits_for_a_slot_is_satisfied_once_another_target_has_the_wheel():
    story = Targets()
    story.require("open")
    build, plan = story.builds("a==1", NEW).result
    story.append("build", build, plan)
    story.append("build", build, e.BuildWanted(RUN))
    story.append("build", build, e.BuildQueued())
    walk = Walk(story.world)
    walk.start()
    walk.instructions()
    before = len(story.events)
    story.build("a==1", wheel("cp311-abi3-linux_x86_64"))
    for recorded in story.events[before:]:
        walk.note(recorded, set())
    (step,) = [found for found in walk.instructions() if isinstance(found, Satisfy)]
    assert [type(event) for event in ending_decisions.satisfy(story.world, step)] == [e.BuildSatisfied]


@pytest.mark.rule("taken-4")
def test_a_second_target_walks_the_requirements_of_a_shared_wheel_under_its_own_markers():
    story = Targets()
    story.require("pure")
    texts = ("old; python_version < '3.12'", "new; python_version >= '3.12'")
    story.build("a==1", wheel("py3-none-any"), requires_dist=texts)
    for target in (OLD, NEW):
        story.resolve("a==1", "build-system", target=target)
        story.resolve("a==1", "hook", target=target)
    for target, name in ((OLD, "old"), (NEW, "new")):
        (step,) = story.next_steps(target)
        assert isinstance(step, Resolve)
        assert (step.stage, step.requirements) == ("install", texts)
        definition = story.world.targets[target].definition
        assert [requirement.name for requirement in holding(step, definition)] == [name]


@pytest.mark.rule("taken-5")
def test_a_wheel_made_from_other_inputs_stops_a_build_before_it_begins():
    story = Targets()
    story.require("open")
    story.build("a==1", wheel("cp311-cp311-linux_x86_64"))
    story.finish()
    # The same version and build tag again, from another archive.
    other = "a-1.zip"
    story.require(
        "open", LATER, source_url=FILES + other, source_name=other, source_sha256=sha256_of("an edited archive")
    )
    (step,) = story.next_steps(OLD, LATER)
    assert isinstance(step, Refuse)
    events = ending_decisions.refuse(story.world, step)
    assert [type(event) for event in events] == [e.BuildPlanned, e.BuildWanted, e.BuildFailed]
    failure = events[-1].failure
    assert "a-1-0-cp311-cp311-linux_x86_64.whl is already published from other inputs: source" in failure.line
    assert "changelog line" in failure.hint
    assert "--replace" in failure.hint
    # Another Python gets another file name, which nothing holds.
    assert not [found for found in story.next_steps(NEW, LATER) if isinstance(found, Refuse)]
