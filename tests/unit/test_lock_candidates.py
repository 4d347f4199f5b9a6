"""What an environment may be made of: the published wheels that the build's own edges lead to, in this graph alone."""

import pytest

from story import RUN, TARGET, Story, edge
from wheelfleet_coordinator.app.locking import locked
from wheelfleet_coordinator.core.instructions import Lock
from wheelfleet_coordinator.core.work import work_for
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.targets import TargetDefinition
from wheelfleet_shared.names import NodeKey, Sha256, graph_id

APP = "app==1"


def told() -> Story:
    """app is built with tool<2 and plug 4, which installs the newest tool; other is built with a newer plug."""
    story = Story()
    definition = TargetDefinition(TARGET, "cpython", "3.11", "cp311", "x86_64", "glibc", "2.28", {}, ())
    story.append("target", TARGET, e.TargetDefined(definition), "agent-1")
    story.submit("app", "other")
    story.resolve("", "toplevel", edge("toplevel", "app", APP), edge("toplevel", "other", "other==1"))
    tool, plug = edge("build-system", "tool>=1,<2", "tool==1.9"), edge("build-system", "plug<5", "plug==4")
    story.resolve(APP, "build-system", tool, plug)
    story.resolve("plug==4", "install", edge("install", "tool", "tool==2.5"))
    story.resolve("other==1", "build-system", edge("build-system", "plug", "plug==6"))
    for node in ("tool==1.9", "tool==2.5", "plug==6"):
        story.resolve(node, "install")
    return story


def published(story: Story, *nodes: str) -> None:
    for node in nodes:
        requires = ("tool",) if node == "plug==4" else ()
        story.build(node, requires_dist=requires)


def planned(story: Story, *requirements: str) -> Lock:
    """app is prepared with these static requirements, its build is named, and all can be looked at."""
    story.fetch(APP)
    build, fence = story.claim(story.builds(APP).source)
    sdist = e.FileRef("app-1.tar.gz", Sha256("ab" * 32), 9)
    story.append("build", build, e.SourcePrepared(fence, sdist, 0, requirements, "backend"), "agent-1")
    story.append("build", build, e.BuildSucceeded())
    result, plan = story.builds(APP).result
    story.append("build", result, plan)
    story.append("build", result, e.BuildWanted(RUN))
    return Lock(result, graph_id(RUN, TARGET), NodeKey("app", "1"))


def versions(outcome: object) -> dict[str, str]:
    assert isinstance(outcome, e.EnvironmentLocked), outcome
    return {file.name: file.version for file in outcome.files}


@pytest.mark.rule("lock-1")
def test_nothing_gets_in_that_the_builds_own_edges_do_not_lead_to():
    story = told()
    published(story, "tool==1.9", "tool==2.5", "plug==4", "plug==6")
    # plug 6 is published and fits, and is not among the candidates: it was chosen for another build.
    assert versions(locked(planned(story, "tool", "plug"), story.world)) == {"plug": "4", "tool": "2.5"}


@pytest.mark.rule("lock-4")
def test_of_two_versions_in_a_closure_the_requirements_choose_and_no_edge_does():
    story = told()
    published(story, "tool==1.9", "tool==2.5", "plug==4")
    assert versions(locked(planned(story, "tool>=1,<2", "plug<5"), story.world)) == {"plug": "4", "tool": "1.9"}


@pytest.mark.parametrize("missing", ["tool==1.9", "tool==2.5", "plug==4"])
@pytest.mark.rule("lock-2")
def test_there_is_no_lock_while_one_candidate_is_not_published(missing):
    story = told()
    published(story, *{"tool==1.9", "tool==2.5", "plug==4"} - {missing})
    assert locked(planned(story, "tool>=1,<2"), story.world) is None


@pytest.mark.parametrize(("anew", "requirements"), [(False, ("plug",)), (True, None)])
@pytest.mark.rule("lock-8")
def test_a_hook_that_must_be_asked_anew_is_asked_by_the_agent(anew, requirements):
    story = told()
    build = planned(story, "tool").build
    story.append("build", build, e.EnvironmentLocked(1, (), "d", static=True))
    story.append("build", build, e.BuildQueued())
    fence = story.append("build", build, e.BuildClaimed(1, "i1", TARGET), "agent-1")
    story.append("build", build, e.BuildBlocked(fence, ("plug",)), "agent-1")
    story.append("build", build, e.EnvironmentLocked(2, (), "d", static=False, anew=anew))
    story.append("build", build, e.BuildQueued())
    story.append("build", build, e.BuildClaimed(2, "i1", TARGET), "agent-1")
    work = work_for(story.world, story.world.build(build), 1, lambda key: key)
    assert work is not None
    assert (work.requirements, work.static) == (requirements, False)
