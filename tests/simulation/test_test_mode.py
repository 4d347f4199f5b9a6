"""Runs that try out whether builds work, on the whole cluster in virtual time."""

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

from cluster import TARGET, Cluster
from sim_builder import wheel_bytes
from universe import Release, Universe
from virtual_loop import run
from wheelfleet_coordinator.core.node_result import node_results
from wheelfleet_coordinator.core.outputs import outputs
from wheelfleet_shared.names import RunId, graph_id

PURE = ("0-py3-none-any",)


class WithWheels(Universe):
    """Upstream's wheels can be had, too."""

    async def download(self, url: str, to: Path) -> tuple[str, int]:
        if "sim://wheels/" not in url:
            return await super().download(url, to)
        name = url.removeprefix("sim://wheels/")
        wheel = wheel_bytes(self.release(name, "1.0"))
        to.write_bytes(wheel)
        return hashlib.sha256(wheel).hexdigest(), len(wheel)


class Story(NamedTuple):
    outcome: str
    statuses: dict[str, str]
    failures: list[dict[str, Any]]
    graph: dict[str, Any]


def told(tree: list[Release], *requirements: str, **options: Any) -> Story:
    async def main(loop: asyncio.AbstractEventLoop) -> Story:
        cluster = Cluster(loop, WithWheels(tree))
        parts = cluster.start_coordinator()
        agent = cluster.start_agent("a1")
        found = await cluster.submit(*requirements, run="r1", test_mode=True, **options)
        end = await cluster.finished(parts, found)
        world = parts.state.world
        graph = world.graphs[graph_id(RunId("r1"), TARGET)]
        texts = outputs(world, RunId("r1"))
        lists = [text for name, text in texts.items() if name.startswith("work-dir/test-mode-failures-")]
        result = Story(
            end.outcome,
            {result.node.name: result.status for result in node_results(world, graph)},
            json.loads(lists[0])["failures"] if lists else [],
            json.loads(texts["work-dir/graph.json"]),
        )
        await cluster.kill_coordinator()
        agent.cancel()
        await asyncio.gather(agent, return_exceptions=True)
        return result

    return run(main)


def test_upstreams_wheel_takes_the_place_of_a_build_that_fails() -> None:
    tree = [
        Release("tool", "1.0", fails=True, listed=PURE, install=("leaf",)),
        Release("leaf", "1.0"),
        Release("app", "1.0", static=("tool",)),
    ]
    story = told(tree, "app")
    assert story.outcome == "succeeded"
    assert story.statuses == {"app": "built", "leaf": "built", "tool": "taken over"}
    assert story.failures == []
    assert story.graph["tool==1.0"]["pre_built"] is False


def test_what_cannot_be_had_at_all_is_listed_and_all_else_is_built() -> None:
    tree = [
        Release("tool", "1.0", fails=True, listed=("cp39-cp39-win32",)),
        Release("app", "1.0", static=("tool",), listed=PURE),
        Release("top", "1.0", static=("app",)),
    ]
    story = told(tree, "top", "absent")
    assert story.outcome == "failed"
    assert story.statuses == {"tool": "failed", "app": "taken over", "top": "built"}
    assert [(item["package"], item["version"], item["failure_type"]) for item in story.failures] == [
        ("tool", "1.0", "bootstrap"),
        ("absent", None, "resolution"),
    ]


def test_a_wheel_that_cannot_be_used_is_a_failure_like_others() -> None:
    tree = [Release("tool", "2.0", fails=True, listed=PURE), Release("tool", "1.0")]
    story = told(tree, "tool")
    assert story.statuses == {"tool": "failed"}
    assert [item["package"] for item in story.failures] == ["tool"]
