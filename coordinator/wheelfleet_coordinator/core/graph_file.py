"""graph.json, in fromager's format: written from a folded graph, and read back into plain values."""

from collections.abc import Mapping
from urllib.parse import urldefrag

import msgspec

from wheelfleet_shared.core import events as e
from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import NodeKey

from .edge_order import edge_order
from .graph import Graph
from .indented_json import indented_json
from .least_edge import least_edges

ROOT = ""
"""The key of the node whose edges are the run's own requirements."""


class ParsedEdge(msgspec.Struct, frozen=True, order=True):
    """A requirement of a node. key: of the node chosen for it. req: as its parent states it."""

    key: str
    req_type: e.EdgeKind
    req: str


class ParsedNode(msgspec.Struct, frozen=True):
    """A distribution at a version; the fields are those of the file, in its order."""

    download_url: str
    pre_built: bool
    version: str
    canonicalized_name: str
    constraint: str | None = None
    edges: tuple[ParsedEdge, ...] = ()


class ParsedGraph(msgspec.Struct, frozen=True):
    """A graph file in memory. nodes: key ``name==version``, or ROOT, → node; in the file's order."""

    nodes: dict[str, ParsedNode]

    def edges_into(self) -> dict[str, list[tuple[str, ParsedEdge]]]:
        """Of each node the edges that lead to it, with the key of their parent, in the file's order."""
        found: dict[str, list[tuple[str, ParsedEdge]]] = {key: [] for key in self.nodes}
        for key, node in self.nodes.items():
            for edge in node.edges:
                found[edge.key].append((key, edge))
        return found


_ROOT_NODE = ParsedNode("", pre_built=False, version="0", canonicalized_name=ROOT)


def parsed_graph(graph: Graph, *, sdist_only: bool = False) -> ParsedGraph:
    """What the file of a folded graph holds, as far as the run came; equal for equal folds."""
    edges = {
        key: tuple(ParsedEdge(str(edge.node), edge.kind, edge.requirement) for edge in found)
        for key, found in edge_order(graph, sdist_only=sdist_only).edges.items()
    }
    nodes = {ROOT: msgspec.structs.replace(_ROOT_NODE, edges=edges.pop(None, ()))}
    least = least_edges(graph)
    nodes.update({str(key): _node(key, least[key], found) for key, found in edges.items() if key is not None})
    return ParsedGraph({key: nodes[key] for key in file_order(nodes)})


def _node(key: NodeKey, edge: e.Edge, edges: tuple[ParsedEdge, ...]) -> ParsedNode:
    return ParsedNode(
        download_url=urldefrag(edge.source_url).url,
        pre_built=edge.source_type == "prebuilt",
        version=key.version,
        canonicalized_name=key.name,
        constraint=edge.constraint or None,
        edges=edges,
    )


def file_order(nodes: Mapping[str, ParsedNode]) -> dict[str, None]:
    """The keys that the root reaches in fromager's order: depth first, the last edge first."""
    ordered: dict[str, None] = {}
    stack = [ROOT]
    while stack:
        key = stack.pop()
        if key not in ordered:
            ordered[key] = None
            stack.extend(edge.key for edge in nodes[key].edges if edge.key not in ordered)
    return ordered


def graph_text(graph: ParsedGraph) -> str:
    """The text of graph.json."""
    return indented_json(graph.nodes)


def read_graph(text: str | bytes) -> ParsedGraph:
    """The graph that a file holds, ours or fromager's; raises InputError, naming the place, for any other text."""
    try:
        nodes = msgspec.json.decode(text, type=dict[str, ParsedNode])
    except msgspec.DecodeError as error:
        raise InputError(f"this is no graph file: {error}", "give a graph.json of a bootstrap") from error
    if ROOT not in nodes:
        raise InputError("this graph file has no root node", "give a graph.json of a bootstrap")
    for key, node in nodes.items():
        missing = next((edge.key for edge in node.edges if edge.key not in nodes), None)
        if missing is not None:
            what = f"the graph file has an edge from {key or 'its root'} to {missing}, which it lacks"
            raise InputError(what, "give a graph.json as a bootstrap left it")
    return ParsedGraph(nodes)
