"""Runs that take every version a requirement lets in, on the whole cluster in virtual time."""

import asyncio
import json
from typing import Any, NamedTuple

from cluster import TARGET, Cluster
from universe import Release, Universe
from virtual_loop import run
from wheelfleet_coordinator.core.outputs import outputs
from wheelfleet_shared.names import RunId, graph_id

TREE = [
    Release("tool", "1.0"),
    Release("tool", "2.0"),
    Release("tool", "3.0", fails=True),
    Release("app", "1.0", static=("tool",)),
    Release("app", "2.0", static=("tool<3",), install=("lib",)),
    Release("app", "3.0", static=("tool>=3",)),
    Release("lib", "1.0", install=("leaf",)),
    Release("lib", "2.0", fails=True, install=("gone",)),
    Release("leaf", "1.0"),
]


class Story(NamedTuple):
    outcome: str
    succeeded: int
    failed: int
    texts: dict[str, bytes]
    environments: dict[str, list[str]]

    def graph(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.texts["work-dir/graph.json"])
        return found

    def failures(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.texts["work-dir/partial-failures.json"])["failures"]
        return found


def told(*requirements: str, tree: list[Release] = TREE, **options: Any) -> Story:
    """One run, and what it leaves behind. environments: of each build what it was locked to."""

    async def main(loop: asyncio.AbstractEventLoop) -> Story:
        cluster = Cluster(loop, Universe(tree))
        parts = cluster.start_coordinator()
        agent = cluster.start_agent("a1")
        options.setdefault("multiple_versions", True)
        found = await cluster.submit(*requirements, run="r1", **options)
        end = await cluster.finished(parts, found)
        world = parts.state.world
        assert graph_id(RunId("r1"), TARGET) in world.graphs
        locks = {
            str(build.plan.node): [f"{file.name}=={file.version}" for file in build.lock.files]
            for build in world.builds.values()
            if build.plan is not None and build.lock is not None
        }
        result = Story(end.outcome, end.succeeded, end.failed, outputs(world, RunId("r1")), locks)
        await cluster.kill_coordinator()
        agent.cancel()
        await asyncio.gather(agent, return_exceptions=True)
        return result

    return run(main)


def test_every_version_that_a_requirement_lets_in_is_built_and_what_fails_is_left_out() -> None:
    story = told("app", skip_constraints=True)
    assert story.outcome == "succeeded"
    assert set(story.graph()) == {"", "app==1.0", "app==2.0", "tool==1.0", "tool==2.0", "lib==1.0", "leaf==1.0"}
    assert [edge["key"] for edge in story.graph()[""]["edges"]] == ["app==2.0", "app==1.0"]
    assert [edge["key"] for edge in story.graph()["app==1.0"]["edges"]] == ["tool==2.0", "tool==1.0"]
    order = [f"{entry['dist']}=={entry['version']}" for entry in json.loads(story.texts["work-dir/build-order.json"])]
    assert sorted(order) == sorted(set(story.graph()) - {""})
    assert "work-dir/constraints.txt" not in story.texts


def test_an_environment_holds_the_newest_version_that_could_be_built() -> None:
    story = told("app")
    assert story.environments["app==1.0"] == ["tool==2.0"]
    assert story.environments["app==2.0"] == ["tool==2.0"]


def test_failures_are_listed_as_fromager_lists_them() -> None:
    story = told("app", "absent")
    failures = {entry["name"]: entry for entry in story.failures()}
    assert list(failures) == sorted(failures) == ["absent", "app==3.0", "lib==2.0", "tool==3.0"]
    assert failures["absent"]["version"] is None
    assert failures["tool==3.0"] == {
        "name": "tool==3.0",
        "version": "3.0",
        "phase": "failed during build_wheel phase",
        "error_type": "BackendError",
        "message": failures["tool==3.0"]["message"],
    }
    assert "tool==3.0" in failures["app==3.0"]["message"]


def test_what_only_a_failed_version_led_to_is_left_out_too() -> None:
    tree = [*TREE, Release("solo", "1.0", static=("only-for-it",), fails=True), Release("only-for-it", "1.0")]
    assert set(told("solo", tree=tree).graph()) == {""}


def test_a_version_that_is_too_old_counts_where_it_is_the_newest() -> None:
    story = told("lib<2", max_release_age=1)
    assert "lib==1.0" in story.graph()


def test_one_version_a_requirement_is_chosen_where_nobody_asks_for_more() -> None:
    story = told("app<3", multiple_versions=False)
    assert story.outcome == "failed"
    assert "app==1.0" not in story.graph()
    assert "work-dir/partial-failures.json" not in story.texts


def test_what_needs_a_distribution_of_which_no_version_can_be_built_fails_with_the_newest() -> None:
    tree = [Release("tool", "1.0", fails=True), Release("tool", "2.0", fails=True), Release("app", "1.0", ("tool",))]
    story = told("app", tree=tree)
    assert {entry["name"]: entry["message"] for entry in story.failures()}["app==1.0"] == "it needs tool==2.0"
    assert set(story.graph()) == {""}
