"""Upstream's wheel in place of a build that failed, in runs that try out whether builds work."""

import msgspec
from packaging.requirements import Requirement

from wheelfleet_shared.core import events as e
from wheelfleet_shared.names import GraphId, NodeKey

from .candidates import Candidate, ProjectListing
from .choose_version import Choice, Parent, choose
from .constraints import Constraints
from .customising import Customised
from .graph import Graph
from .resolve_stage import RunRules
from .version_rules import WHEELS
from .world import World

ANYTHING = Constraints.merge((), {})
"""No constraint: the version was chosen when there was one."""


def falls_back(graph: Graph, node: NodeKey) -> bool:
    """Whether a node that failed can still be had as upstream's wheel, as far as nobody has looked."""
    return node not in graph.fallbacks and graph.nodes[node].first.source_type != "prebuilt"


def fallback(graph: Graph, node: NodeKey, listing: ProjectListing, rules: RunRules) -> e.PrebuiltChosen:
    """The edge that leads to the wheel of this very version, or that there is none for the target.

    fromager takes a wheel of another version, too, where a requirement lets it in; then what is tried
    out is not what was chosen, so here it is not.
    """
    found = choose(
        Requirement(f"{node.name}=={node.version}"),
        listing,
        Parent(None, "toplevel"),
        constraints=ANYTHING,
        target=rules.target,
        as_of=rules.as_of,
        sought=WHEELS,
    )
    edge = _edge(graph, node, found.candidate, rules.customised) if isinstance(found, Choice) else None
    return e.PrebuiltChosen(graph.run, graph.target, node, edge)


def fell_back(world: World, graph_id: GraphId, event: e.PrebuiltChosen) -> tuple[e.Event, ...]:
    """Record, once, what upstream has in place of a build that failed."""
    graph = world.graphs.get(graph_id)
    return (event,) if graph is not None and event.node not in graph.fallbacks else ()


def _edge(graph: Graph, node: NodeKey, wheel: Candidate, customised: Customised) -> e.Edge:
    return msgspec.structs.replace(
        graph.nodes[node].first,
        source_url=wheel.url,
        source_name=wheel.file_name,
        source_sha256=wheel.sha256,
        source_type="prebuilt",
        recipe=customised.recipe_of(node, prebuilt=True).node,
        why="test mode: its build failed",
    )
