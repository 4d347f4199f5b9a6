"""Wheels that were imported: which builds they serve, though nobody knows from what they were built."""

import pytest

from story import RUN, TARGET, Story, edge, sha256_of
from wheelfleet_coordinator.core.held_wheels import file_in_the_way, serving_file
from wheelfleet_coordinator.core.instructions import Resolve
from wheelfleet_coordinator.core.walk import Walk
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.build import plan_build
from wheelfleet_shared.core.recipe import NodeRecipe
from wheelfleet_shared.core.targets import TargetDefinition
from wheelfleet_shared.names import ANY_TARGET, IndexName, NodeKey, file_id

NODE = NodeKey("a", "1")
TAGS = ("cp311-cp311-linux_x86_64", "py3-none-any")
DEFINITION = TargetDefinition(TARGET, "cpython", "3.11", "cp311", "x86_64", "glibc", "2.28", {}, TAGS)


def planned(source: e.FileRef, tag: str, target):
    recipe = NodeRecipe(build_tag=tag)
    return plan_build(
        "wheel", IndexName(), NODE, target=target, host=TARGET, source=source, source_url="", recipe=recipe
    )


def imported(name: str, *, tells: bool = True, published: bool = True, source: str = "") -> Story:
    """A story whose index holds the wheel."""
    story = Story(options=e.RunOptions(mode="entries", imports=True))
    wheel = e.FileRef(name, sha256_of(name), 9)
    of = e.FileRef(source or name, wheel.sha256, 9)
    tag = NodeRecipe(build_tag="")
    build, plan = plan_build(
        "wheel", IndexName(), NODE, target=TARGET, host=TARGET, source=of, source_url="u", recipe=tag
    )
    story.append("build", build, plan)
    kind = e.WheelTakenOver if tells else e.PrebuiltAccepted
    held = file_id(IndexName(), name, 0)
    story.append("file", held, kind(IndexName(), build, plan.key, NODE, wheel, sha256_of("m"), "file:///w"))
    if published:
        story.append("file", held, e.WheelPublished())
    return story


def wanted(tag: str = "0", target=TARGET) -> e.BuildPlanned:
    return planned(e.FileRef("a-1.tar.gz", sha256_of("the source"), 5), tag, target)[1]


@pytest.mark.parametrize(
    ("name", "tag", "target", "serves"),
    [
        ("a-1-0-py3-none-any.whl", "0", TARGET, True),
        ("a-1-py3-none-any.whl", "0", TARGET, True),
        ("a-1-2-py3-none-any.whl", "0", TARGET, False),
        ("a-1-0-cp312-cp312-linux_x86_64.whl", "0", TARGET, False),
        ("a-1-0-cp311-cp311-linux_x86_64.whl", "0", TARGET, True),
        ("a-1-0-cp311-cp311-linux_x86_64.whl", "0", ANY_TARGET, False),
        ("a-1-0-py3-none-any.whl", "0", ANY_TARGET, True),
    ],
)
def test_a_wheel_that_tells_how_it_was_built_serves_builds_of_its_version_and_tag(name, tag, target, serves):
    story = imported(name)
    assert (serving_file(story.world, wanted(tag, target), DEFINITION) is not None) is serves


def test_one_that_does_not_tell_or_that_a_cache_gave_for_another_source_is_in_the_way():
    for story in (
        imported("a-1-0-py3-none-any.whl", tells=False),
        imported("a-1-0-py3-none-any.whl", source="a-1.tar.gz"),
    ):
        assert serving_file(story.world, wanted(), DEFINITION) is None
        assert file_in_the_way(story.world, wanted(), DEFINITION) is not None


def test_one_that_is_not_published_yet_serves_nobody():
    story = imported("a-1-0-py3-none-any.whl", published=False)
    assert serving_file(story.world, wanted(), DEFINITION) is None


@pytest.mark.parametrize("imports", [True, False])
def test_an_import_ends_with_its_wheels_and_asks_for_nothing_that_they_need(imports: bool):
    story = Story(options=e.RunOptions(mode="entries", imports=imports))
    story.submit("a==1")
    wheel = e.FileRef("a-1-0-py3-none-any.whl", sha256_of("w"), 9)
    prebuilt = {"source_type": "prebuilt", "source_name": wheel.file_name, "source_sha256": wheel.sha256}
    story.resolve("", "toplevel", edge("toplevel", "a==1", "a==1", recipe=NodeRecipe(build_tag=""), **prebuilt))
    build, plan = story.builds("a==1").result
    held = file_id(IndexName(), wheel.file_name, 0)
    taken = e.WheelTakenOver(
        IndexName(), build, plan.key, NODE, wheel, sha256_of("m"), "file:///w", build_system=("absent",)
    )
    story.append("file", held, taken)
    story.append("file", held, e.WheelPublished())
    for event in (plan, e.BuildWanted(RUN), e.BuildSatisfied(wheel)):
        story.append("build", build, event)
    walk = Walk(story.world)
    walk.start()
    resolving = [step for step in walk.instructions() if isinstance(step, Resolve)]
    assert bool(resolving) is not imports
