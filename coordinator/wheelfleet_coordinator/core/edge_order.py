"""A graph's edges as fromager adds them: same edges, same number of each, same order.

fromager walks requirements depth first with a stack. It enters a *visit* (distribution, version,
extras, sdist or wheel) once, and each entering adds the build and install edges of its node again;
so a node that is required with and without an extra has its build edges twice. Which visits of an
sdist-only run want a wheel depends on the order of the walk. Where fromager's order depends on the
hash seed (requirements of equal name), ours is that of the text.
"""

import re
from typing import NamedTuple

from wheelfleet_shared.core import events as e
from wheelfleet_shared.names import NodeKey

from .graph import BUILD_KINDS, Arc, Graph, StageId, Visit

_NAME = re.compile(r"[A-Za-z0-9._-]*")


class EdgeOrder(NamedTuple):
    """edges: of each node, root under None, in order. last: of each node the extras it was last entered with."""

    edges: dict[NodeKey | None, list[e.Edge]]
    last: dict[NodeKey, tuple[str, ...]]


class _Enter(NamedTuple):
    """``building``: a build requirement, or installed by one."""

    parent: NodeKey | None
    arc: Arc
    building: bool


class _AskHook(NamedTuple):
    visit: Visit
    building: bool


class _Install(NamedTuple):
    visit: Visit
    building: bool


_Step = _Enter | _AskHook | _Install


def edge_order(graph: Graph, *, sdist_only: bool = False) -> EdgeOrder:
    """The edges of all nodes that are reachable from the run's own requirements, as far as known.

    Cost: linear in the edges of all visits.
    """
    walk = _EdgeWalk(graph, sdist_only=sdist_only)
    return walk.run()


class _EdgeWalk:
    def __init__(self, graph: Graph, *, sdist_only: bool) -> None:
        self._graph = graph
        self._sdist_only = sdist_only
        self._found = EdgeOrder({}, {})
        self._seen: set[tuple[Visit, bool]] = set()

    def run(self) -> EdgeOrder:
        top = self._graph.stages.get(StageId(None, "toplevel"), ())
        self._found.edges[None] = [arc.edge for arc in top]
        stack: list[_Step] = [_Enter(None, arc, building=False) for arc in top]
        while stack:
            stack.extend(self._take(stack.pop()))
        return self._found

    def _take(self, step: _Step) -> list[_Step]:
        match step:
            case _Enter():
                return self._enter(step)
            case _AskHook(visit, building):
                return self._ask_hook(visit, building=building)
            case _Install(visit, building):
                arcs = self._graph.install_arcs(visit) or ()
                return self._entries(visit.node, arcs, building=building)

    def _enter(self, step: _Enter) -> list[_Step]:
        edge, visit = step.arc.edge, step.arc.child
        if edge.kind != "toplevel":
            self._found.edges[step.parent].append(edge)
        self._found.edges.setdefault(visit.node, [])
        building = edge.kind in BUILD_KINDS or (edge.kind == "install" and step.building)
        wheel = not self._sdist_only or building
        if (visit, wheel) in self._seen:
            return []
        # A wheel counts as its sdist too, an sdist does not count as the wheel.
        self._seen |= {(visit, wheel), (visit, False)}
        self._found.last[visit.node] = visit.extras
        if edge.source_type == "prebuilt":
            return [_Install(visit, building)]
        arcs = self._graph.stages.get(StageId(visit.node, "build-system"), ())
        return [_AskHook(visit, building), *self._entries(visit.node, arcs, building=building)]

    def _ask_hook(self, visit: Visit, *, building: bool) -> list[_Step]:
        """What the static environment holds already gets its edge here and is not entered again."""
        static = {arc.edge.node for arc in self._graph.stages.get(StageId(visit.node, "build-system"), ())}
        further: list[_Step] = [_Install(visit, building)]
        for kind in ("build-backend", "build-sdist"):
            arcs = [arc for arc in self._graph.stages.get(StageId(visit.node, "hook"), ()) if arc.edge.kind == kind]
            met = {arc for arc in arcs if not arc.child.extras and arc.edge.node in static}
            self._found.edges[visit.node].extend(arc.edge for arc in _sorted(met))
            further.extend(self._entries(visit.node, [arc for arc in arcs if arc not in met], building=building))
        return further

    def _entries(self, parent: NodeKey, arcs: tuple[Arc, ...] | list[Arc], *, building: bool) -> list[_Step]:
        return [_Enter(parent, arc, building) for arc in _sorted(arcs)]


def _sorted(arcs: tuple[Arc, ...] | list[Arc] | set[Arc]) -> list[Arc]:
    """By the name as it is written, then by text; equal requirements once."""
    unique = {(arc.edge.kind, arc.edge.requirement, arc.edge.node): arc for arc in arcs}
    return [unique[key] for key in sorted(unique, key=_order)]


def _order(key: tuple[e.EdgeKind, str, NodeKey]) -> tuple[str, str, str, NodeKey]:
    kind, requirement, node = key
    name = _NAME.match(requirement)
    return (name.group() if name else "", requirement, kind, node)
