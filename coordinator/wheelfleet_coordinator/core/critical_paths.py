"""How urgent each queued build is, for all active runs: kept up as their graphs grow."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from wheelfleet_shared.core.build import Build
from wheelfleet_shared.names import GraphId, NodeKey

from .graph import Graph
from .places import Place
from .standing import Stand
from .urgency import Urgency
from .walk import Walk
from .world import World

UNCOVERS: Final = 1.0
"""Seconds of work that a source is thought to uncover: what it needs to be built is not known before."""
_RELEARNT: Final = 1.5
"""Old guesses are given up when so many times the builds have been measured."""


class CriticalPaths:
    """A projection over a world and its walk, brought up to date by ``refresh``; made anew, it is the same."""

    def __init__(self, world: World, walk: Walk) -> None:
        self._world = world
        self._walk = walk
        self._graphs: dict[GraphId, Urgency] = {}
        self._taken: dict[GraphId, int] = {}
        self._learnt = 0

    def refresh(self) -> None:
        """Take in what the graphs of active runs have learnt. Cost: what is new; now and then all of it."""
        world = self._world
        if world.durations.learnt > self._learnt * _RELEARNT:
            self._learnt = world.durations.learnt
            self._graphs, self._taken = {}, {}
        active = [graph for run in world.active_runs() for graph in world.graphs_of(run)]
        for gone in self._graphs.keys() - {graph.id for graph in active}:
            del self._graphs[gone], self._taken[gone]
        for graph in active:
            if self._taken.get(graph.id, -1) != len(graph.stages):
                self._take(graph)

    def seconds(self, build: Build) -> float:
        """Expected seconds from the start of a build to the end of the longest chain that waits for it."""
        return self._own_seconds(build) + max((self._behind(*place) for place in self._places(build)), default=0.0)

    def _own_seconds(self, build: Build) -> float:
        """A source stands before a wheel, so the wheel's time belongs to its chain."""
        durations, plan = self._world.durations, build.plan
        if plan is None or plan.goal != "source":
            return durations.of(build)
        return durations.of(build) + UNCOVERS + durations.seconds(plan.node.name, plan.expectation)

    def chain(self, build: Build) -> tuple[NodeKey, ...]:
        """The nodes of the longest chain that waits for the build, the next one first."""
        longest = max(self._places(build), key=lambda place: self._behind(*place), default=None)
        urgency = self._graphs.get(longest[0]) if longest is not None else None
        return urgency.chain(longest[1]) if urgency is not None and longest is not None else ()

    def _behind(self, graph: GraphId, node: NodeKey) -> float:
        urgency = self._graphs.get(graph)
        return urgency.behind(node) if urgency is not None else 0.0

    def _places(self, build: Build) -> Iterator[Place]:
        """Where the build is waited for; on other targets of the run too, where it may turn out to serve them."""
        for graph_id, node in self._walk.places_of(build.id):
            yield graph_id, node
            graph = self._world.graphs.get(graph_id)
            if graph is not None and build.plan is not None and build.plan.expectation == "open":
                yield from ((other.id, node) for other in self._world.graphs_of(graph.run) if other is not graph)

    def _take(self, graph: Graph) -> None:
        urgency = self._graphs.get(graph.id)
        if urgency is None:
            urgency = self._graphs[graph.id] = Urgency(self._expecting(graph))
        known = self._taken.get(graph.id, 0)
        for stage, arcs in islice(graph.stages.items(), known, None):
            if stage.node is None or not arcs:
                continue
            children = (arc.child.node for arc in arcs)
            if stage.stage == "install":
                urgency.installs(stage.node, children)
            elif not self._is_there(graph.id, stage.node):
                urgency.builds_with(stage.node, children)
        self._taken[graph.id] = len(graph.stages)

    def _is_there(self, graph: GraphId, node: NodeKey) -> bool:
        """Whether a node waits for nothing any more: of one that was taken over, its requirements are walked later."""
        standing = self._walk.standing(graph, node)
        return standing is not None and (standing.settled or standing.stand is Stand.PUBLISHED)

    def _expecting(self, graph: Graph) -> Callable[[NodeKey], float]:
        durations, nodes = self._world.durations, graph.nodes
        return lambda node: durations.seconds(node.name, nodes[node].first.expectation)
