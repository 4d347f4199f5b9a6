"""Sources that may change under their URL, named so that they cannot: a commit in git, a digest of what lies on disk.

An index promises what its files hold. A branch or a folder promises nothing, so what it holds is looked at
when it is chosen, and the graph names that.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from msgspec.structs import replace

from wheelfleet_shared.core import events as e
from wheelfleet_shared.errors import WheelfleetError
from wheelfleet_shared.names import NodeKey

from .git_url import is_git, read_git_url
from .graph import Graph
from .instructions import Resolve
from .resolve_stage import Resolved, stage_events


class Pin(NamedTuple):
    """A source that stays what it is; sha256: of its file, empty where the URL itself says it all."""

    url: str
    sha256: str = ""


Pins = Mapping[NodeKey, Pin | WheelfleetError]
"""What was found for each node whose source had to be looked at, or why it cannot be had."""


def changes(edge: e.Edge) -> bool:
    """Whether other bytes may lie under the source's URL tomorrow, and nobody promises which."""
    if is_git(edge.source_url):
        return not read_git_url(edge.source_url).pinned
    return edge.source_url.startswith("file:") and edge.source_type == "override" and not edge.source_sha256


def changing_edges(resolved: Resolved) -> dict[NodeKey, e.Edge]:
    """The nodes of a stage whose source has to be looked at, each with an edge that leads there."""
    return {edge.node: edge for event in resolved.events for edge in event.edges if changes(edge)}


def known_pins(graphs: Iterable[Graph], wanted: Iterable[NodeKey]) -> dict[NodeKey, Pin]:
    """What graphs of the run, for this target or another, name already: one run builds from one source."""
    known = list(graphs)
    found = [(key, graph.nodes[key].first) for key in wanted for graph in known if key in graph.nodes]
    return {key: Pin(edge.source_url, edge.source_sha256) for key, edge in reversed(found)}


def with_pins(graph: Graph, resolve: Resolve, resolved: Resolved, pins: Pins) -> Resolved:
    """The stage with each source pinned; requirements whose source cannot be had are unresolvable."""
    if not pins:
        return resolved
    edges = [edge for event in resolved.events for edge in event.edges]
    kept = [pinned for edge in edges if (pinned := _pinned(edge, pins)) is not None]
    failures = dict.fromkeys(_unavailable(graph, resolve, edge, pins) for edge in edges)
    found = tuple(failure for failure in failures if failure is not None)
    return Resolved(stage_events(graph, resolve, kept), (*resolved.failures, *found), resolved.recipes)


def _pinned(edge: e.Edge, pins: Pins) -> e.Edge | None:
    pin = pins.get(edge.node)
    if isinstance(pin, Pin):
        return replace(edge, source_url=pin.url, source_sha256=pin.sha256 or edge.source_sha256)
    return edge if pin is None else None


def _unavailable(graph: Graph, resolve: Resolve, edge: e.Edge, pins: Pins) -> e.RequirementUnresolvable | None:
    error = pins.get(edge.node)
    if not isinstance(error, WheelfleetError):
        return None
    return e.RequirementUnresolvable(
        graph.run,
        graph.target,
        resolve.node,
        resolve.stage,
        edge.requirement,
        f"the source of {edge.node} cannot be had: {error.what}",
        error.next_step,
        resolve.extras,
    )
