"""The dependency graph of one run on one target, folded from its events.

A *visit* is a node as it is required: with the extras asked for. Extras decide which install
requirements a visit has; the node (distribution and version) is built once for all its visits.
"""

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

import msgspec
from packaging.requirements import Requirement

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.envelope import Recorded
from wheelfleet_shared.core.roles import kinds_of
from wheelfleet_shared.names import GraphId, NodeKey, RunId, TargetId

BUILD_KINDS = frozenset({"build-system", "build-backend", "build-sdist"})
_NOTHING: Final[frozenset[NodeKey | None]] = frozenset()


class Visit(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """A node with the extras it was required with, sorted."""

    node: NodeKey
    extras: tuple[str, ...]


class Arc(msgspec.Struct, frozen=True, gc=False):
    """An edge of the graph with the visit it leads to."""

    edge: e.Edge
    child: Visit


class StageId(msgspec.Struct, frozen=True, gc=False):
    """One stage of one node; ``extras`` only tell install stages apart."""

    node: NodeKey | None
    stage: e.Stage
    extras: tuple[str, ...] = ()


def stage_id(node: NodeKey | None, stage: e.Stage, extras: tuple[str, ...]) -> StageId:
    """The stage's identity: extras count for install requirements alone."""
    return StageId(node, stage, extras if stage == "install" else ())


def visit_of(edge: e.Edge) -> Visit:
    """Where an edge leads."""
    return Visit(edge.node, extras_of(edge.requirement))


def extras_of(requirement: str) -> tuple[str, ...]:
    """The extras that a requirement asks for, sorted; cheap where there are none."""
    return tuple(sorted(Requirement(requirement).extras)) if "[" in requirement else ()


class GraphNode:
    """What the graph knows of one node. ``first``: the edge that led here first; sources never differ by edge.

    Where upstream's wheel is taken in place of a failed build, ``first`` leads to that.

    since: sequence of the event that led here first.
    """

    __slots__ = ("arcs_in", "first", "key", "since", "visits")

    def __init__(self, key: NodeKey, first: e.Edge, since: int) -> None:
        self.key = key
        self.first = first
        self.since = since
        self.visits: dict[tuple[str, ...], Visit] = {}
        self.arcs_in: list[tuple[NodeKey | None, e.Edge]] = []


class Graph:
    """A mutable projection: ``apply`` folds one event, in log order, and says what it touched.

    has_alternatives: a requirement led to several versions. fallbacks: nodes for which upstream's wheel
    was looked for, since they could not be built.
    """

    def __init__(self, graph_id: GraphId, run: RunId, target: TargetId) -> None:
        self.id = graph_id
        self.run = run
        self.target = target
        self.nodes: dict[NodeKey, GraphNode] = {}
        self.stages: dict[StageId, tuple[Arc, ...]] = {}
        self._begun: dict[StageId, tuple[e.Edge, ...]] = {}
        self.unresolvable_at: dict[tuple[StageId, str], int] = {}
        self.unresolvable: dict[StageId, list[e.RequirementUnresolvable]] = {}
        self.wheel_needed: set[NodeKey] = set()
        self.ignored = 0
        self.has_alternatives = False
        self.fallbacks: set[NodeKey] = set()

    def apply(self, recorded: Recorded) -> AbstractSet[NodeKey | None]:
        """Fold one event; the nodes whose situation changed (None: the run's own requirements)."""
        event = recorded.envelope.event
        if type(event) not in kinds_of(recorded.actor):
            return self._refused()
        if isinstance(event, e.RequirementsResolved):
            return self._resolved(event, recorded.sequence)
        if isinstance(event, e.RequirementUnresolvable):
            return self._unresolvable(event, recorded.sequence)
        if isinstance(event, e.PrebuiltChosen):
            return self._prebuilt(event)
        return self._refused()

    def _refused(self) -> AbstractSet[NodeKey | None]:
        self.ignored += 1
        return _NOTHING

    def _prebuilt(self, event: e.PrebuiltChosen) -> AbstractSet[NodeKey | None]:
        node = self.nodes.get(event.node)
        if node is None or event.node in self.fallbacks:
            return self._refused()
        self.fallbacks.add(event.node)
        node.first = event.edge or node.first
        return {event.node}

    def _unresolvable(self, event: e.RequirementUnresolvable, sequence: int) -> AbstractSet[NodeKey | None]:
        place = stage_id(event.node, event.stage, event.extras)
        known = self.unresolvable.setdefault(place, [])
        if any(other.requirement == event.requirement for other in known):
            return self._refused()
        known.append(event)
        self.unresolvable_at[place, event.requirement] = sequence
        return {event.node}

    def _resolved(self, event: e.RequirementsResolved, sequence: int) -> AbstractSet[NodeKey | None]:
        parent = event.node
        place = stage_id(parent, event.stage, event.extras)
        if place in self.stages:
            return self._refused()
        edges = (*self._begun.pop(place, ()), *event.edges) if self._begun else event.edges
        if event.more:
            self._begun[place] = edges
            return _NOTHING
        self._note_alternatives(edges)
        self.stages[place] = tuple([Arc(edge, self._arrive(parent, edge, sequence)) for edge in edges])
        touched: set[NodeKey | None] = {edge.node for edge in edges}
        touched.add(parent)
        self._spread_need(parent, edges, touched)
        return touched

    def _note_alternatives(self, edges: tuple[e.Edge, ...]) -> None:
        """Remember that a requirement led to several versions; hardly any run asks for that."""
        if len(edges) > 1 and not self.has_alternatives:
            chosen = {(edge.kind, edge.requirement): edge.node for edge in edges}
            self.has_alternatives = any(chosen[edge.kind, edge.requirement] != edge.node for edge in edges)

    def _arrive(self, parent: NodeKey | None, edge: e.Edge, sequence: int) -> Visit:
        """Where the edge leads: one visit for all edges that ask for the same."""
        key = edge.node
        node = self.nodes.get(key)
        if node is None:
            node = self.nodes[key] = GraphNode(key, edge, sequence)
        node.arcs_in.append((parent, edge))
        extras = extras_of(edge.requirement) if "[" in edge.requirement else ()
        visit = node.visits.get(extras)
        if visit is None:
            visit = node.visits[extras] = Visit(key, extras)
        return visit

    def _spread_need(self, parent: NodeKey | None, edges: tuple[e.Edge, ...], touched: set[NodeKey | None]) -> None:
        """Mark what must exist as a wheel to build something: build requirements and all they install."""
        needed = self.wheel_needed
        passes_on = parent in needed
        stack = [edge.node for edge in edges if edge.kind in BUILD_KINDS or (passes_on and edge.kind == "install")]
        while stack:
            key = stack.pop()
            if key in needed:
                continue
            needed.add(key)
            touched.add(key)
            for extras in self.nodes[key].visits:
                arcs = self.stages.get(StageId(key, "install", extras))
                if arcs:
                    stack.extend([arc.child.node for arc in arcs])

    def install_arcs_of_node(self, key: NodeKey) -> Iterator[Arc]:
        """The install edges of all visits of a node."""
        node = self.nodes.get(key)
        for extras in tuple(node.visits) if node is not None else ():
            yield from self.stages.get(StageId(key, "install", extras), ())

    def install_arcs(self, visit: Visit) -> tuple[Arc, ...] | None:
        """The install edges of one visit; None while they are not resolved."""
        return self.stages.get(StageId(visit.node, "install", visit.extras))

    def build_arcs(self, key: NodeKey) -> tuple[Arc, ...]:
        """The build edges of a node that are known so far, static ones first."""
        return self.stages.get(StageId(key, "build-system"), ()) + self.stages.get(StageId(key, "hook"), ())

    def resolved(self, key: NodeKey | None, stage: e.Stage, extras: tuple[str, ...] = ()) -> bool:
        """Whether the requirements of a stage have their versions."""
        return stage_id(key, stage, extras) in self.stages

    def failures_of(self, key: NodeKey | None, stage: e.Stage, extras: tuple[str, ...] = ()) -> list[str]:
        """What could not be resolved in a stage, in words."""
        found = self.unresolvable.get(stage_id(key, stage, extras), ())
        return [f"{item.requirement}: {item.reason}" for item in found]


def closure(
    graph: Graph, starts: tuple[Arc, ...], counting: Callable[[Sequence[Arc]], Sequence[Arc]] = tuple
) -> dict[Visit, Visit | None]:
    """Every visit reachable from the build edges over install edges → the visit that led there.

    counting: which of the arcs of one stage count; all of them unless it says otherwise.
    """
    found: dict[Visit, Visit | None] = {}
    stack: list[tuple[Visit, Visit | None]] = [(arc.child, None) for arc in reversed(counting(starts))]
    while stack:
        visit, via = stack.pop()
        if visit in found:
            continue
        found[visit] = via
        stack.extend((arc.child, visit) for arc in reversed(counting(graph.install_arcs(visit) or ())))
    return found
