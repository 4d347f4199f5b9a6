"""build-order.json, in fromager's format with one more key: the sha256 of the source."""

from collections.abc import Container, Mapping
from urllib.parse import urldefrag

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.run import SourceFile
from wheelfleet_shared.names import NodeKey, SourceId, source_id

from .graph import Graph
from .indented_json import indented_json
from .least_edge import least_edges
from .node_order import node_order


def build_order(graph: Graph) -> list[NodeKey]:
    """All nodes, each after what it needs to be built and installed.

    That is: after its build requirements and all that these install, and after its own install
    requirements. Nodes that install one another, and other ties, are ordered by (name, version).
    """

    def build(key: NodeKey) -> list[NodeKey]:
        return [arc.edge.node for arc in graph.build_arcs(key)]

    def build_or_install(key: NodeKey) -> list[NodeKey]:
        return [*build(key), *(arc.edge.node for arc in graph.install_arcs_of_node(key))]

    return node_order(graph.nodes, (build_or_install, build))


def build_order_text(graph: Graph, sources: Mapping[SourceId, SourceFile], only: Container[str] | None = None) -> str:
    """The text of build-order.json. An entry's sha256 is that of the original source, empty while unknown.

    only: ``name==version`` of the nodes that have entries; all of them unless given.
    """
    least = least_edges(graph)
    shown = (key for key in build_order(graph) if only is None or str(key) in only)
    return indented_json([_entry(key, least[key], sources) for key in shown])


def _entry(key: NodeKey, edge: e.Edge, sources: Mapping[SourceId, SourceFile]) -> dict[str, str | bool]:
    return {
        "req": edge.requirement,
        "constraint": edge.constraint,
        "dist": key.name,
        "version": key.version,
        "prebuilt": edge.source_type == "prebuilt",
        "source_url": urldefrag(edge.source_url).url,
        "source_url_type": edge.source_type,
        "sha256": edge.source_sha256 or _found(edge, sources),
    }


def _found(edge: e.Edge, sources: Mapping[SourceId, SourceFile]) -> str:
    source = sources.get(source_id(edge.source_url, edge.source_sha256))
    return source.fetched.file.sha256 if source is not None and source.fetched is not None else ""
