"""What a run would choose for its own requirements, before anything of it is queued.

What these need in turn is not foreseen: build requirements are told by their sources and hooks.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec
from packaging.requirements import Requirement
from packaging.tags import parse_tag
from packaging.utils import canonicalize_name
from packaging.version import Version

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.expectation import fits
from wheelfleet_shared.core.targets import TargetDefinition, supported_tags
from wheelfleet_shared.names import RunId, TargetId, graph_id

from .candidates import Candidate, ProjectListing
from .graph import Graph
from .instructions import Resolve
from .resolve_stage import RunRules, holding, resolve_stage

_NO_RUN = RunId("none")


class Shelf(NamedTuple):
    """An index with wheels to take over. origin: how it is told; listings: project → what it has."""

    origin: str
    listings: Mapping[str, ProjectListing]


class Foreseen(msgspec.Struct, frozen=True):
    """What would become of one requirement on one target.

    why: the rule that chose the version and what keeps newer ones out, or why there is none; hint:
    the way out then. source: file name of the sdist. wheel, wheel_from: what is there already, and where.
    """

    requirement: str
    target: TargetId
    status: Literal["build", "take over", "no version", "not on this target"]
    version: str = ""
    why: str = ""
    hint: str = ""
    constraint: str = ""
    source: str = ""
    wheel: str = ""
    wheel_from: str = ""


def foresee(
    requirements: Sequence[str], rules: RunRules, listings: Mapping[str, ProjectListing], shelves: Sequence[Shelf]
) -> tuple[Foreseen, ...]:
    """Each requirement with its outcome, in the order given; the choice is the one that the run would make.

    listings: project → its page on the package index. shelves: in the order in which they are asked.
    Raises SourceError for a marker that reads the kernel. Cost: as ``choose``, a requirement.
    """
    target = rules.target
    resolve = Resolve(graph_id(_NO_RUN, target.id), None, "toplevel", (), tuple(requirements))
    held = holding(resolve, target)
    resolved = resolve_stage(Graph(resolve.graph, _NO_RUN, target.id), resolve, held, listings, rules)
    edges = {edge.requirement: edge for event in resolved.events for edge in event.edges}
    failures = {failure.requirement: failure for failure in resolved.failures}
    return tuple(_foreseen(text, edges, failures, target, shelves) for text in requirements)


def _foreseen(
    text: str,
    edges: Mapping[str, e.Edge],
    failures: Mapping[str, e.RequirementUnresolvable],
    target: TargetDefinition,
    shelves: Sequence[Shelf],
) -> Foreseen:
    parsed = str(Requirement(text))
    if parsed in failures:
        failure = failures[parsed]
        return Foreseen(text, target.id, "no version", why=failure.reason, hint=failure.hint)
    if parsed not in edges:
        return Foreseen(text, target.id, "not on this target", why="its marker does not hold there")
    edge = edges[parsed]
    wheel, origin = _on_a_shelf(edge, target, shelves)
    return Foreseen(
        requirement=text,
        target=target.id,
        status="take over" if wheel else "build",
        version=edge.node.version,
        why=edge.why,
        constraint=edge.constraint,
        source=edge.source_name,
        wheel=wheel,
        wheel_from=origin,
    )


def _on_a_shelf(edge: e.Edge, target: TargetDefinition, shelves: Sequence[Shelf]) -> tuple[str, str]:
    """File name and origin of the first wheel of the version that the target can install; empty for none."""
    for shelf in shelves:
        listing = shelf.listings.get(str(canonicalize_name(edge.node.name)))
        for candidate in listing.candidates if listing is not None else ():
            if _serves(candidate, edge, target):
                return candidate.file_name, shelf.origin
    return "", ""


def _serves(candidate: Candidate, edge: e.Edge, target: TargetDefinition) -> bool:
    if candidate.kind != "wheel" or Version(candidate.version) != Version(edge.node.version):
        return False
    return fits(frozenset().union(*(parse_tag(tag) for tag in candidate.tags)), supported_tags(target))
