import pytest

from story import RUN, Story, edge, key_of, stevedore
from wheelfleet_coordinator.core.failures import failure_rows, paths_from_root
from wheelfleet_coordinator.core.walk import Walk
from wheelfleet_shared.core import events as e
from wheelfleet_shared.names import graph_id

TOOL, PBR, TOP = "setuptools==84.2.1", "pbr==7.1.3", "stevedore==5.2.0"
FAILURE = e.Failure("backend", "build_wheel", "error: no gcc", tuple(f"line {n}" for n in range(30)), "install gcc")


def rows_of(story: Story):
    walk = Walk(story.world)
    walk.start()
    walk.instructions()
    return failure_rows(story.world, walk, story.world.graphs_of(RUN)[0])


def failed(story: Story) -> None:
    story.build(TOOL)
    story.prepare(PBR)
    build, fence = story.claim(story.builds(PBR).result)
    story.append("build", build, e.BuildFailed(FAILURE, fence), "agent-1")


@pytest.mark.rule("daily-11")
def test_a_failed_build_is_told_with_all_that_a_person_needs():
    story = stevedore(index_url="https://index.example/simple", index_origin="the --index-url option")
    failed(story)
    (row,) = rows_of(story)
    assert (row.node, row.kind, row.phase, row.line, row.hint) == (
        PBR,
        "backend",
        "build_wheel",
        "error: no gcc",
        "install gcc",
    )
    assert row.tail == FAILURE.tail[-20:]
    assert row.chain == (TOP, PBR)
    assert row.reproduce == (
        f"wheelfleet bootstrap {PBR} --index-url https://index.example/simple --target {story.targets[0]}"
    )


def test_root_causes_come_before_what_fell_with_them():
    story = stevedore()
    failed(story)
    story.prepare(TOP)
    build, plan = story.builds(TOP).result
    story.append("build", build, plan)
    story.append("build", build, e.DependencyFailed((TOP, PBR)))
    assert [(row.node, row.phase) for row in rows_of(story)] == [(PBR, "build_wheel"), (TOP, "dependency")]
    assert rows_of(story)[1].line == f"it needs {PBR}"


def test_a_finished_run_tells_the_same_failures():
    story = stevedore()
    failed(story)
    before = rows_of(story)
    story.finish("failed")
    assert rows_of(story) == before


def test_a_requirement_without_a_version_is_a_failure_of_its_own():
    story = stevedore(as_of=1_700_000_000.0)
    event = e.RequirementUnresolvable(
        RUN, story.targets[0], key_of(TOP), "install", "nothing>9", "there is none", "look"
    )
    story.append("graph", graph_id(RUN, story.targets[0]), event)
    (row,) = rows_of(story)
    assert (row.node, row.phase, row.line, row.hint) == ("nothing>9", "resolve", "there is none", "look")
    assert row.chain == (TOP, "nothing>9")
    assert row.reproduce == (f"wheelfleet bootstrap 'nothing>9' --as-of @1700000000 --target {story.targets[0]}")


def test_the_chain_to_a_node_is_a_shortest_one():
    story = stevedore()
    graph = story.world.graphs_of(RUN)[0]
    assert paths_from_root(graph)[key_of(TOOL)] == (TOP, TOOL)
    story.resolve(TOP, "install", edge("install", "x", "x==1"), extras=("all",))
    assert paths_from_root(graph)[key_of("x==1")] == (TOP, "x==1")
