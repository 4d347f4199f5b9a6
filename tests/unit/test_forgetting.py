"""Runs forgotten: which may be, what nothing leads to then, and what every fold leaves out."""

import pytest

from story import RUN, TARGET, Story, edge, sha256_of, stevedore
from wheelfleet_coordinator.core.forgetting import (
    Reach,
    forget_build,
    forget_run,
    forget_source,
    forgettable,
    new_reach,
    unreached,
)
from wheelfleet_coordinator.core.garbage import YOUNGEST, is_garbage, referenced
from wheelfleet_coordinator.core.outputs import outputs
from wheelfleet_coordinator.core.standing import lost_its_result
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.keys import blob_key, bundle_key, log_key, pinned_page_key, source_key
from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import IndexName, RunId, graph_id, source_id

DAY = 86_400.0
LATER = RunId("r2")
TOOL = "setuptools==84.2.1"
PBR = "pbr==7.1.3"


@pytest.fixture
def story() -> Story:
    """A run that built a tool, and ended; of pbr it has the source alone."""
    told = stevedore()
    told.append("run", RUN, e.ProjectListed("pbr", sha256_of("page"), "text/html", "https://x/"))
    told.build(TOOL)
    told.prepare(PBR)
    told.finish()
    return told


def begin_another(story: Story, *requirements: str) -> None:
    story.submit(*requirements, run=LATER)
    story.resolve("", "toplevel", *(edge("toplevel", text, text) for text in requirements), run=LATER)


def reach_of(story: Story, *without: RunId) -> Reach:
    reach = new_reach()
    for graph in story.world.graphs.values():
        if graph.run not in without:
            reach.add(story.world, graph)
    return reach


def forget_all(story: Story) -> None:
    dropped = unreached(story.world, reach_of(story, RUN), (RUN,))
    for run in dropped.runs:
        story.append("run", run, e.RunForgotten())
    for source in dropped.sources:
        story.append("source", source, e.SourceForgotten())
    for build in dropped.builds:
        story.append("build", build, e.BuildForgotten())


def test_only_ended_runs_of_a_certain_age_beyond_the_newest_may_go(story: Story):
    now = story.world.runs[RUN].finished_at + DAY
    assert forgettable(story.world, now=now, older_than=DAY / 2, keep=0) == (RUN,)
    assert forgettable(story.world, now=now, older_than=2 * DAY, keep=0) == ()
    assert forgettable(story.world, now=now, older_than=0, keep=1) == ()
    begin_another(story, TOOL)
    assert forgettable(story.world, now=now + DAY, older_than=0, keep=0) == (RUN,)
    assert forgettable(story.world, now=now + DAY, older_than=0, keep=1) == (), "an active run is no ended one"
    story.finish(run=LATER)
    assert forgettable(story.world, now=now + DAY, older_than=0, keep=0) == (RUN, LATER)
    assert forgettable(story.world, now=now + DAY, older_than=0, keep=1) == (RUN,)


def test_a_run_that_has_not_ended_is_never_forgotten():
    story = stevedore()
    assert forget_run(story.world, RUN) == ()
    assert forget_run(story.world, RunId("unknown")) == ()
    story.append("run", RUN, e.RunForgotten())
    assert story.world.runs[RUN].submitted is not None
    assert story.world.ignored == 1


def test_a_forgotten_run_is_left_out_and_stays_so(story: Story):
    assert forget_run(story.world, RUN) == (e.RunForgotten(),)
    forget_all(story)
    world = story.world
    assert (world.ignored, world.runs[RUN].status, world.graphs_of(RUN), world.graphs) == (0, "absent", [], {})
    assert forget_run(world, RUN) == ()
    with pytest.raises(InputError):
        outputs(world, RUN)
    story.submit("other")
    story.resolve("", "toplevel", edge("toplevel", PBR, PBR))
    story.append("run", RUN, e.ProjectListed("x", sha256_of("x"), "text/html", "https://x/"))
    assert (world.ignored, world.runs[RUN].status, world.graphs, world.untimed) == (3, "absent", {}, {})


def test_wheels_stay_and_all_else_of_the_run_is_garbage(story: Story):
    world = story.world
    wheel = world.wheel_of(world.build(story.builds(TOOL).result[0]))
    assert wheel is not None
    assert wheel.accepted is not None
    tool, pbr = story.builds(TOOL), story.builds(PBR)
    upstream = edge("install", "-", PBR)
    prepared = world.build(pbr.source[0]).source
    assert prepared is not None
    keys = [
        source_key(upstream.source_sha256, upstream.source_name),
        source_key(prepared.sdist.sha256, prepared.sdist.file_name),
        pinned_page_key(sha256_of("page")),
        log_key(tool.result[0], 3),
    ]
    blob = blob_key(wheel.accepted.file.sha256, wheel.accepted.file.file_name)
    dropped = unreached(world, reach_of(story, RUN), (RUN,))
    planned = [is_garbage(world, referenced(world, dropped), key, YOUNGEST + 1, dropped) for key in (*keys, blob)]
    forget_all(story)
    done = [is_garbage(world, referenced(world), key, YOUNGEST + 1) for key in (*keys, blob)]
    assert planned == done == [True] * len(keys) + [False]
    assert bundle_key(sha256_of("none")) not in referenced(world)


def test_what_another_run_leads_to_stays(story: Story):
    begin_another(story, PBR)
    dropped = unreached(story.world, reach_of(story, RUN), (RUN,))
    assert story.builds(PBR).source[0] not in dropped.builds
    assert story.builds(PBR).source_file not in dropped.sources
    assert story.builds(TOOL).result[0] in dropped.builds


def test_what_a_run_reaches_meanwhile_is_not_forgotten(story: Story):
    named = story.builds(PBR)
    begin_another(story, PBR)
    nothing, active = new_reach(), reach_of(story, RUN)
    assert forget_source(story.world, named.source_file, active) == ()
    assert forget_build(story.world, named.source[0], active) == ()
    assert forget_source(story.world, named.source_file, nothing) == (e.SourceForgotten(),)
    assert forget_build(story.world, named.source[0], nothing) == (e.BuildForgotten(),)
    under_way, _ = story.claim(named.result)
    assert forget_build(story.world, under_way, nothing) == ()


def test_a_source_is_stored_as_long_as_one_url_of_it_is_remembered(story: Story):
    mirror = edge("install", "-", PBR, source_url="https://mirror.example/pbr")
    other = source_id(mirror.source_url, mirror.source_sha256)
    file = e.FileRef(mirror.source_name, mirror.source_sha256, 100)
    story.append("source", other, e.SourceFetched(mirror.source_url, file, mirror.source_sha256))
    story.append("source", story.builds(PBR).source_file, e.SourceForgotten())
    assert file.sha256 in story.world.stored
    story.append("source", other, e.SourceForgotten())
    assert file.sha256 not in story.world.stored
    story.append("source", other, e.SourceForgotten())
    assert story.world.source(other).ignored == 1


def test_a_forgotten_sdist_is_prepared_again_and_a_wheel_is_not_built_again(story: Story):
    tool, pbr = story.builds(TOOL), story.builds(PBR)
    forget_all(story)
    world = story.world
    assert lost_its_result(world, world.build(pbr.source[0]))
    assert not lost_its_result(world, world.build(tool.result[0]))
    before = world.build(pbr.source[0]).source
    story.append("build", pbr.source[0], e.BuildReopened("lost", LATER))
    again = world.build(pbr.source[0])
    assert not again.forgotten
    assert again.source == before, "its build requirements are known all the time"


def test_a_graph_that_comes_before_its_run_is_kept():
    story = Story()
    story.resolve("", "toplevel", edge("toplevel", PBR, PBR))
    assert graph_id(RUN, TARGET) in story.world.graphs
    assert story.world.file(IndexName(), "x").accepted is None
