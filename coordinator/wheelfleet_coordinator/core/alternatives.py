"""Which version counts where a requirement led to several: the newest that has not failed.

Only runs that take every version have such requirements. What waits for a requirement waits for that
version alone, and its environment may hold that one: as if the run had chosen it. So one version that
cannot be built hinders nothing while an older one can.
"""

from collections.abc import Callable, Sequence

from .graph import Arc, Graph, Visit, closure

Failed = Callable[[Visit], bool]


def counting_arcs(graph: Graph, arcs: Sequence[Arc], failed: Failed) -> Sequence[Arc]:
    """One arc a requirement: the first whose visit has not failed, else the first. Cost: none in other runs."""
    if not graph.has_alternatives:
        return arcs
    chosen: dict[tuple[str, str], Arc] = {}
    settled: set[tuple[str, str]] = set()
    for arc in arcs:
        place = (arc.edge.kind, arc.edge.requirement)
        if place in settled:
            continue
        if not failed(arc.child):
            chosen[place] = arc
            settled.add(place)
        else:
            chosen.setdefault(place, arc)
    return tuple(chosen.values())


def counting_closure(graph: Graph, starts: Sequence[Arc], failed: Failed) -> dict[Visit, Visit | None]:
    """As ``closure``, over the arcs that count."""
    return closure(graph, tuple(starts), lambda arcs: counting_arcs(graph, arcs, failed))
