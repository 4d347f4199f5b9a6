"""Nodes of a run, found by what people call them."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import NamedTuple

from packaging.utils import canonicalize_name

from wheelfleet_shared.core import events as e
from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import BuildId, NodeKey, RunId, TargetId

from .graph import Graph, GraphNode
from .standing import node_builds
from .world import World


class Found(NamedTuple):
    """A node in one graph of the run."""

    graph: Graph
    node: GraphNode


class NodeBuild(NamedTuple):
    """A build of a node, planned or not."""

    node: NodeKey
    target: TargetId
    goal: e.Goal
    build: BuildId


def nodes_named(world: World, run: RunId, name: str) -> list[Found]:
    """The nodes called ``name`` or ``name==version`` on every target, by version.

    Raises InputError, with names that are close, where the run has none.
    """
    wanted, _, version = name.partition("==")
    canonical = canonicalize_name(wanted.strip())
    found = [
        Found(graph, graph.nodes[key])
        for graph in world.graphs_of(run)
        for key in sorted(graph.nodes)
        if key.name == canonical and version.strip() in {"", key.version}
    ]
    if not found:
        raise InputError(f"{name} is not in run {run}", _advice(world, run, canonical))
    return found


def _advice(world: World, run: RunId, name: str) -> str:
    known = {key.name for graph in world.graphs_of(run) for key in graph.nodes}
    close = get_close_matches(name, sorted(known), n=3)
    return f"did you mean {', '.join(close)}?" if close else f"`wheelfleet show {run}` lists what it has"


def builds_of_name(world: World, run: RunId, name: str) -> Iterator[NodeBuild]:
    """The builds of these nodes that were ever planned: the source's before the result's, each once."""
    seen: set[BuildId] = set()
    for graph, node in nodes_named(world, run, name):
        builds = node_builds(world, graph, node)
        for build, plan in (builds.source, builds.result) if builds is not None else ():
            if build in world.builds and build not in seen:
                seen.add(build)
                yield NodeBuild(node.key, graph.target, plan.goal, build)
