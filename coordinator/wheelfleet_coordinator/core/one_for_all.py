"""Wheels that may come out pure or native: one target of a run builds first, the others wait for what comes."""

from collections.abc import Mapping

from wheelfleet_shared.names import GraphId, NodeKey, TargetId

from .graph import Graph, GraphNode
from .standing import Stand, Standing
from .world import World

_ENDED = frozenset({Stand.PUBLISHED, Stand.FAILED})


def goes_first(
    world: World, graph: Graph, node: GraphNode, standings: Mapping[tuple[GraphId, NodeKey], Standing]
) -> TargetId | None:
    """The target of the run that builds an open node before this one does; None: this one may begin.

    The order is that of the run's targets, so none ever waits for one that waits for it. A pure wheel
    ends the others' builds before they begin; after a native one, or none, they go on by themselves.
    """
    if node.first.expectation != "open":
        return None
    for other in world.graphs_of(graph.run):
        if other.id == graph.id:
            return None
        if node.key not in other.nodes or other.target not in world.targets:
            continue
        standing = standings.get((other.id, node.key))
        if standing is None or standing.stand not in _ENDED:
            return other.target
    return None
