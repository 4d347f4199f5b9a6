"""An order of nodes in which each comes after what it needs."""

import graphlib
import heapq
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from packaging.version import Version

from wheelfleet_shared.names import NodeKey

Needs = Callable[[NodeKey], Iterable[NodeKey]]
"""Of a node the nodes that it needs directly."""

_Rank = tuple[str, Version, str]


def node_order(nodes: Iterable[NodeKey], needs: Sequence[Needs]) -> list[NodeKey]:
    """Each node after all that ``needs[0]`` names; ties by (name, version).

    Nodes that need each other are ordered among themselves by ``needs[1]``, and so on; at last by
    (name, version). Cost: linear in nodes and needs, but for the ties.
    """
    if not needs:
        return sorted(nodes, key=_rank)
    ordered: list[NodeKey] = []
    members = set(nodes)
    successors = {node: {other for other in needs[0](node) if other in members} for node in members}
    for ring in _in_order(_rings(successors), successors):
        ordered.extend(ring if len(ring) == 1 else node_order(ring, needs[1:]))
    return ordered


def _rank(node: NodeKey) -> _Rank:
    return (node.name, Version(node.version), node.version)


def _rings(successors: Mapping[NodeKey, Collection[NodeKey]]) -> list[list[NodeKey]]:
    """The strongly connected components (Kosaraju's algorithm, without recursion)."""
    predecessors: dict[NodeKey, list[NodeKey]] = {node: [] for node in successors}
    for node, others in successors.items():
        for other in others:
            predecessors[other].append(node)
    placed: set[NodeKey] = set()
    finished = [node for start in successors for node in _finish_order(start, successors, placed)]
    placed = set()
    rings = (_finish_order(start, predecessors, placed) for start in reversed(finished))
    return [ring for ring in rings if ring]


def _finish_order(
    start: NodeKey, successors: Mapping[NodeKey, Collection[NodeKey]], placed: set[NodeKey]
) -> list[NodeKey]:
    """What is reachable from ``start`` and not placed yet, each node after its successors; then it is placed."""
    if start in placed:
        return []
    placed.add(start)
    finished: list[NodeKey] = []
    stack = [(start, iter(successors[start]))]
    while stack:
        node, others = stack[-1]
        following = next((other for other in others if other not in placed), None)
        if following is None:
            finished.append(node)
            stack.pop()
        else:
            placed.add(following)
            stack.append((following, iter(successors[following])))
    return finished


def _in_order(rings: list[list[NodeKey]], successors: Mapping[NodeKey, Collection[NodeKey]]) -> Iterable[list[NodeKey]]:
    """The rings, each after those it needs; of those that are free the one with the least node first."""
    ring_of = {node: number for number, ring in enumerate(rings) for node in ring}
    sorter = graphlib.TopologicalSorter[int]()
    for number, ring in enumerate(rings):
        sorter.add(number, *({ring_of[other] for node in ring for other in successors[node]} - {number}))
    sorter.prepare()
    free: list[tuple[_Rank, int]] = []
    while sorter.is_active():
        for number in sorter.get_ready():
            heapq.heappush(free, (min(map(_rank, rings[number])), number))
        _, number = heapq.heappop(free)
        yield rings[number]
        sorter.done(number)
