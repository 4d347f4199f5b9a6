"""The part of a graph file that has to do with one distribution."""

from collections import deque
from collections.abc import Callable, Iterable

from packaging.requirements import Requirement
from packaging.version import Version

from wheelfleet_shared.errors import InputError

from .graph_file import ROOT
from .graph_reading import Link, LinkedGraph, LinkedNode


def subset(
    graph: LinkedGraph,
    name: str,
    version: Version | None = None,
    *,
    dependencies: bool = True,
    dependents: bool = True,
) -> LinkedGraph:
    """The distribution with all it needs and all that need it, as a graph that hangs together.

    Without dependents the run itself requires the distribution, by its bare name where it did not
    before. Edges between nodes of the part are all kept. Raises InputError where the graph has no
    such distribution, or no such version.
    """
    wanted = [node for node in graph.named(name) if version in {None, node.version}]
    if not wanted:
        at = f" at version {version}" if version is not None else ""
        raise InputError(f"{name} is not in this graph{at}", "`graph why` and `show` tell what it has")
    kept = {ROOT, *(node.key for node in wanted)}
    if dependencies:
        kept |= _reached(wanted, lambda key: (link.child for link in graph.out_of(key)))
    if dependents:
        kept |= _reached(wanted, lambda key: (link.parent for link in graph.into(key)))
    own = graph.out_of(ROOT) if dependents else [_required(node) for node in wanted]
    links = [link for key in graph.nodes if key in kept for link in (own if key == ROOT else graph.out_of(key))]
    nodes = {key: node for key, node in graph.nodes.items() if key in kept}
    return LinkedGraph(nodes, [link for link in links if link.child in kept])


def _reached(start: Iterable[LinkedNode], following: Callable[[str], Iterable[str]]) -> set[str]:
    found: set[str] = set()
    queue = deque(node.key for node in start)
    while queue:
        for key in following(queue.popleft()):
            if key not in found:
                found.add(key)
                queue.append(key)
    return found


def _required(node: LinkedNode) -> Link:
    return Link(ROOT, node.key, "toplevel", Requirement(node.name))
