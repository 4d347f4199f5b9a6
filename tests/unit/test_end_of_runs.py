"""A run ends with the pages of its own nodes, whatever else the index owes."""

from story import RUN, Story, edge, sha256_of
from wheelfleet_coordinator.core.instructions import Finish
from wheelfleet_coordinator.core.walk import Walk
from wheelfleet_shared.core import events as e
from wheelfleet_shared.names import IndexName, page_id

TOOL, OTHER = "setuptools==84.2.1", "pbr==7.1.3"


def ends_of(story: Story) -> list[Finish]:
    walk = Walk(story.world)
    walk.start()
    return [instruction for instruction in walk.instructions() if isinstance(instruction, Finish)]


def show(story: Story, project: str) -> None:
    page = (IndexName(), project)
    shown = e.IndexUpdated(*page, sha256_of("html"), sha256_of("json"), 1, len(story.events))
    story.append("page", page_id(*page), shown)


def test_a_run_awaits_the_pages_of_its_nodes_and_not_those_of_others():
    story = Story()
    story.submit(TOOL)
    story.resolve("", "toplevel", edge("toplevel", TOOL, TOOL))
    for stage in ("build-system", "hook", "install"):
        story.resolve(TOOL, stage)
    story.build(TOOL)
    wheel = e.FileRef("pbr-7.1.3-0-py3-none-any.whl", sha256_of("of another run"), 10)
    story.publish(OTHER, wheel)
    assert ends_of(story) == []
    show(story, "setuptools")
    assert ends_of(story) == [Finish(RUN, "succeeded", 1, 0)]
