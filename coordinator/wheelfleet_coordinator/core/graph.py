"""The dependency graph of one run on one target, folded from its events.

A *visit* is a node as it is required: with the extras asked for. Extras decide which install
requirements a visit has; the node (distribution and version) is built once for all its visits.
"""

from collections.abc import Iterator
from typing import NamedTuple

from packaging.requirements import Requirement

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.envelope import Recorded
from wheelfleet_shared.core.roles import may_append
from wheelfleet_shared.names import GraphId, NodeKey, RunId, TargetId

BUILD_KINDS = frozenset({"build-system", "build-backend", "build-sdist"})


class Visit(NamedTuple):
    """A node with the extras it was required with, sorted."""

    node: NodeKey
    extras: tuple[str, ...]


class Arc(NamedTuple):
    """An edge of the graph with the visit it leads to."""

    edge: e.Edge
    child: Visit


class StageId(NamedTuple):
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

    since: sequence of the event that led here first.
    """

    __slots__ = ("arcs_in", "first", "key", "since", "visits")

    def __init__(self, key: NodeKey, first: e.Edge, since: int) -> None:
        self.key = key
        self.first = first
        self.since = since
        self.visits: dict[tuple[str, ...], None] = {}
        self.arcs_in: list[tuple[NodeKey | None, e.Edge]] = []


class Graph:
    """A mutable projection: ``apply`` folds one event, in log order, and says what it touched."""

    def __init__(self, graph_id: GraphId, run: RunId, target: TargetId) -> None:
        self.id = graph_id
        self.run = run
        self.target = target
        self.nodes: dict[NodeKey, GraphNode] = {}
        self.stages: dict[StageId, tuple[Arc, ...]] = {}
        self._begun: dict[StageId, tuple[Arc, ...]] = {}
        self.unresolvable_at: dict[tuple[StageId, str], int] = {}
        self.unresolvable: dict[StageId, list[e.RequirementUnresolvable]] = {}
        self.wheel_needed: set[NodeKey] = set()
        self.ignored = 0

    def apply(self, recorded: Recorded) -> set[NodeKey | None]:
        """Fold one event; the nodes whose situation changed (None: the run's own requirements)."""
        event = recorded.envelope.event
        if not may_append(recorded.role, event):
            self.ignored += 1
            return set()
        match event:
            case e.RequirementsResolved():
                return self._resolved(event, recorded.sequence)
            case e.RequirementUnresolvable():
                place = stage_id(event.node, event.stage, event.extras)
                known = self.unresolvable.setdefault(place, [])
                if any(other.requirement == event.requirement for other in known):
                    self.ignored += 1
                    return set()
                known.append(event)
                self.unresolvable_at[place, event.requirement] = recorded.sequence
                return {event.node}
            case _:
                self.ignored += 1
                return set()

    def _resolved(self, event: e.RequirementsResolved, sequence: int) -> set[NodeKey | None]:
        place = stage_id(event.node, event.stage, event.extras)
        if place in self.stages:
            self.ignored += 1
            return set()
        arcs = (*self._begun.pop(place, ()), *(Arc(edge, visit_of(edge)) for edge in event.edges))
        if event.more:
            self._begun[place] = arcs
            return set()
        self.stages[place] = arcs
        touched: set[NodeKey | None] = {event.node}
        for edge, child in arcs:
            key = child.node
            node = self.nodes.get(key)
            if node is None:
                node = self.nodes[key] = GraphNode(key, edge, sequence)
            node.visits.setdefault(child.extras)
            node.arcs_in.append((event.node, edge))
            touched.add(key)
        touched |= self._spread_need(event.node, arcs)
        return touched

    def _spread_need(self, parent: NodeKey | None, arcs: tuple[Arc, ...]) -> set[NodeKey | None]:
        """Mark what must exist as a wheel to build something: build requirements and all they install."""
        fresh: set[NodeKey | None] = set()
        stack = [
            arc.edge.node
            for arc in arcs
            if arc.edge.kind in BUILD_KINDS or (arc.edge.kind == "install" and parent in self.wheel_needed)
        ]
        while stack:
            key = stack.pop()
            if key in self.wheel_needed:
                continue
            self.wheel_needed.add(key)
            fresh.add(key)
            stack.extend(arc.edge.node for arc in self.install_arcs_of_node(key))
        return fresh

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


def closure(graph: Graph, starts: tuple[Arc, ...]) -> dict[Visit, Visit | None]:
    """Every visit reachable from the build edges over install edges → the visit that led there."""
    found: dict[Visit, Visit | None] = {}
    stack: list[tuple[Visit, Visit | None]] = [(arc.child, None) for arc in reversed(starts)]
    while stack:
        visit, via = stack.pop()
        if visit in found:
            continue
        found[visit] = via
        stack.extend((arc.child, visit) for arc in reversed(graph.install_arcs(visit) or ()))
    return found
