"""The one edge of a node that stands for all of them, whatever order the events came in."""

from wheelfleet_shared.core import events as e
from wheelfleet_shared.names import NodeKey

from .graph import Graph, GraphNode


def least_edges(graph: Graph) -> dict[NodeKey, e.Edge]:
    """Of each node the least edge that leads to it: by depth, parent name, parent version, kind, text.

    depth: edges from the root, of any kind. Cost: linear in the edges but for a small sort of each level.
    """
    depths = _depths(graph)
    return {key: _least(node, depths) for key, node in graph.nodes.items()}


def _depths(graph: Graph) -> dict[NodeKey | None, int]:
    children: dict[NodeKey | None, set[NodeKey]] = {}
    for key, node in graph.nodes.items():
        for parent, _ in node.arcs_in:
            children.setdefault(parent, set()).add(key)
    depths: dict[NodeKey | None, int] = {None: 0}
    level: list[NodeKey | None] = [None]
    while level:
        following = {child for parent in level for child in children.get(parent, ())} - depths.keys()
        depth = depths[level[0]] + 1
        depths.update(dict.fromkeys(following, depth))
        level = list(following)
    return depths


def _least(node: GraphNode, depths: dict[NodeKey | None, int]) -> e.Edge:
    far = len(depths)

    def rank(arc: tuple[NodeKey | None, e.Edge]) -> tuple[int, str, str, str, str, str]:
        parent, edge = arc
        name, version = (parent.name, parent.version) if parent is not None else ("", "")
        return (depths.get(parent, far), name, version, edge.kind, edge.requirement, edge.source_url)

    return min(node.arcs_in, key=rank)[1]
