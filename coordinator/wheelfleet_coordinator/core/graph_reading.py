"""A graph file with its edges at both of their ends, in the order in which fromager holds it in memory.

fromager reads a file by a walk from the root, the last edge first, and what its commands print
follows that walk; so does what ours print.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from wheelfleet_shared.core.events import EdgeKind
from wheelfleet_shared.errors import InputError

from .graph_file import ROOT, ParsedEdge, ParsedGraph, ParsedNode, read_graph

BUILD_KINDS: Final[frozenset[EdgeKind]] = frozenset({"build-system", "build-backend", "build-sdist"})
INSTALL_KINDS: Final[frozenset[EdgeKind]] = frozenset({"toplevel", "install"})


class Link(NamedTuple):
    """A requirement of one node and the node that serves it; parent and child are keys, ROOT is the run."""

    parent: str
    child: str
    kind: EdgeKind
    requirement: Requirement


class LinkedNode(NamedTuple):
    """A distribution at a version, as a graph file holds it. constraint: empty for none."""

    key: str
    name: str
    version: Version
    url: str
    pre_built: bool
    constraint: str


class LinkedGraph:
    """What the root reaches. nodes: by key, the root first, the others in the order of their first mention."""

    def __init__(self, nodes: dict[str, LinkedNode], links: list[Link]) -> None:
        self.nodes = nodes
        self._out: dict[str, list[Link]] = {key: [] for key in nodes}
        self._into: dict[str, list[Link]] = {key: [] for key in nodes}
        for link in links:
            self._out[link.parent].append(link)
            self._into[link.child].append(link)

    def out_of(self, key: str) -> list[Link]:
        """The requirements of a node, in the file's order."""
        return self._out[key]

    def into(self, key: str) -> list[Link]:
        """What requires a node, in the order of the walk."""
        return self._into[key]

    def named(self, name: str) -> list[LinkedNode]:
        """Every version of a distribution; the name may be spelled in any way."""
        canonical = canonicalize_name(name)
        return [node for node in self.distributions if node.name == canonical]

    @property
    def distributions(self) -> Iterator[LinkedNode]:
        """All nodes but the root."""
        return (node for key, node in self.nodes.items() if key != ROOT)

    @property
    def names(self) -> frozenset[str]:
        """The normalised names of all distributions."""
        return frozenset(node.name for node in self.distributions)

    def installed(self) -> list[LinkedNode]:
        """What the run's requirements install, directly or not: depth first, each once, in the edges' order."""
        return [self.nodes[key] for key in self.install_closure(ROOT)]

    def install_closure(self, start: str) -> list[str]:
        """Keys of what a node installs, depth first, each once and never the node itself unless on a cycle."""
        found: dict[str, None] = {}
        stack = list(reversed(self._out[start]))
        while stack:
            link = stack.pop()
            if link.kind in INSTALL_KINDS and link.child not in found:
                found[link.child] = None
                stack.extend(reversed(self._out[link.child]))
        return list(found)

    def parsed(self) -> ParsedGraph:
        """The same as plain values of a file."""
        return ParsedGraph({key: self._parsed_node(node) for key, node in self.nodes.items()})

    def _parsed_node(self, node: LinkedNode) -> ParsedNode:
        edges = tuple(ParsedEdge(link.child, link.kind, str(link.requirement)) for link in self._out[node.key])
        return ParsedNode(node.url, node.pre_built, str(node.version), node.name, node.constraint or None, edges)


def read_linked_graph(content: bytes, origin: str) -> LinkedGraph:
    """The graph of a file's content; raises InputError, naming the file and what is wrong in it."""
    try:
        return link(read_graph(content))
    except InputError as error:
        raise InputError(f"{origin}: {error.what}", error.next_step) from error
    except (InvalidRequirement, InvalidVersion) as error:
        what = str(error).splitlines()[0]
        raise InputError(f"{origin}: this is no graph file: {what}", "give a graph.json of a bootstrap") from error


def link(parsed: ParsedGraph) -> LinkedGraph:
    """The graph with its edges at both ends; raises what `packaging` raises for unreadable texts."""
    nodes = {ROOT: _linked(ROOT, parsed.nodes[ROOT])}
    links: list[Link] = []
    stack, done = [ROOT], set[str]()
    while stack:
        parent = stack.pop()
        if parent in done:
            continue
        done.add(parent)
        for edge in parsed.nodes[parent].edges:
            if edge.key not in nodes:
                nodes[edge.key] = _linked(edge.key, parsed.nodes[edge.key])
            links.append(Link(parent, edge.key, edge.req_type, Requirement(edge.req)))
            stack.append(edge.key)
    return LinkedGraph(nodes, links)


def _linked(key: str, node: ParsedNode) -> LinkedNode:
    constraint = str(Requirement(node.constraint)) if node.constraint else ""
    name = str(canonicalize_name(node.canonicalized_name))
    return LinkedNode(key, name, Version(node.version), node.download_url, node.pre_built, constraint)
