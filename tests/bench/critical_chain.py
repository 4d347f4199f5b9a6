"""The chain of builds that a run's wall was made of: each one waited for the one before it."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple


class Step(NamedTuple):
    """A wheel's build: seconds since the run was submitted at which it could start, did start, and was built."""

    node: str
    queued: float
    claimed: float
    built: float

    def __str__(self) -> str:
        waited, took = self.claimed - self.queued, self.built - self.claimed
        return f"{self.node} (queued at {self.queued:.1f} s, waited {waited:.1f} s for a slot, built in {took:.1f} s)"


def critical_chain(log: Iterable[str], graph: Mapping[str, Any]) -> list[Step]:
    """From the first build to the one that ended last.

    log: the lines of ``wheelfleet export``. graph: of ``graph.json``. A build waits for the last of what it is
    built with, and of those whose wheels named it.
    """
    steps = _steps(log)
    before = _before(graph)
    chain: list[Step] = []
    step = max(steps.values(), key=lambda step: step.built, default=None)
    while step is not None:
        chain.insert(0, step)
        earlier = [steps[node] for node in before.get(step.node, ()) if node in steps]
        step = max((one for one in earlier if one.built <= step.queued), key=lambda one: one.built, default=None)
    return chain


def _steps(log: Iterable[str]) -> dict[str, Step]:
    """Every wheel that was built."""
    start, nodes, at = 0.0, dict[str, str](), dict[tuple[str, str], float]()
    for line in log:
        entry = json.loads(line)
        event, build = entry["envelope"]["event"], entry["subject"].split(".")[2]
        seconds = entry["envelope"]["at"] - start
        if event["type"] == "RunSubmitted":
            start = entry["envelope"]["at"]
        if event["type"] == "BuildPlanned" and event["goal"] == "wheel":
            nodes[build] = f"{event['node']['name']}=={event['node']['version']}"
        at[build, event["type"]] = seconds
    return {
        node: Step(node, *(at[build, kind] for kind in ("BuildQueued", "BuildClaimed", "WheelBuilt")))
        for build, node in nodes.items()
        if (build, "WheelBuilt") in at
    }


def _before(graph: Mapping[str, Any]) -> dict[str, set[str]]:
    """For each node all others whose wheels its build may wait for."""
    before: dict[str, set[str]] = {}
    for parent, node in graph.items():
        for edge in node["edges"]:
            if "build" in edge["req_type"]:
                before.setdefault(parent, set()).update(_installed_with(graph, edge["key"]))
            else:
                before.setdefault(edge["key"], set()).add(parent)
    return before


def _installed_with(graph: Mapping[str, Any], key: str) -> set[str]:
    found, todo = set[str](), [key]
    while todo:
        node = todo.pop()
        if node not in found:
            found.add(node)
            todo.extend(edge["key"] for edge in graph[node]["edges"] if "build" not in edge["req_type"])
    return found
