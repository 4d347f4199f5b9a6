"""All requirements of one stage of one node, each to its version: the event that records them.

The pages are there already; what they say decides alone, so the same pages give the same event.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.bundle import Entry
from wheelfleet_shared.core.expectation import expectation_of
from wheelfleet_shared.core.recipe import recipe_digest
from wheelfleet_shared.core.targets import TargetDefinition, evaluate_marker
from wheelfleet_shared.names import NodeKey, Sha256

from .candidates import ProjectListing, missing_project
from .choose_version import Choice, Parent, choose_every, file_names_of
from .closed_listing import choose_entry
from .constraints import Constraints
from .customised_choice import NOT_CUSTOMISED, Ages, sought_for, source_of
from .customising import Customised
from .graph import Arc, Graph, StageId
from .instructions import Resolve
from .narrowed_choices import not_ours, with_hashes, with_source
from .parsed import parsed
from .previous_graph import KnownVersion, PreviousGraph
from .refusals import Refusal

_NOTHING_HELD: Final[Mapping[str, ProjectListing]] = {}
EDGES_AN_EVENT: Final = 150
"""Some 1.5 kB an edge at the most leaves room below the largest event."""


class RunRules(NamedTuple):
    """What a run says of every choice on one target. hashes: requirement text → allowed sha256s.

    entries: of the saved order that the run builds; None where it asks the package index. ages: what the
    run says of the age of files. every_version: a requirement takes all that serve it, not the newest alone.
    """

    target: TargetDefinition
    constraints: Constraints
    previous: PreviousGraph | None
    as_of: float | None
    hashes: Mapping[str, tuple[str, ...]]
    entries: tuple[Entry, ...] | None = None
    customised: Customised = NOT_CUSTOMISED
    ages: Ages = Ages()
    every_version: bool = False


class Resolved(NamedTuple):
    """The events of the stage, in order, and those that go in before for requirements without a version.

    recipes: texts that the edges name by digest, to be stored before the events are.
    """

    events: tuple[e.RequirementsResolved, ...]
    failures: tuple[e.RequirementUnresolvable, ...]
    recipes: tuple[tuple[Sha256, bytes], ...] = ()


def holding(resolve: Resolve, target: TargetDefinition) -> list[Requirement]:
    """The requirements that hold on the target: the run's own as given, others in the order of their text.

    Extras are those of the parent and count for install requirements alone.
    Raises SourceError for a marker that reads the kernel.
    """
    extras = frozenset(resolve.extras) if resolve.stage == "install" else frozenset()
    texts = resolve.requirements if resolve.stage == "toplevel" else sorted(resolve.requirements)
    return [item for item in map(parsed, texts) if evaluate_marker(item, target.marker_environment, extras)]


def projects_of(requirements: Sequence[Requirement], known: Sequence[Arc]) -> list[str]:
    """The projects whose pages the requirements need, sorted; what a static edge serves needs none."""
    needed = {str(canonicalize_name(item.name)) for item in requirements if not serving_arcs(item, known)}
    return sorted(needed)


def serving_arcs(requirement: Requirement, known: Sequence[Arc]) -> tuple[Arc, ...]:
    """The static build edges that already serve a hook requirement: one, or all of them where versions are many.

    Source: fromager #1194; a hook that asks again for what the static requirements brought means that.
    """
    if requirement.extras:
        return ()
    name, specifier = canonicalize_name(requirement.name), requirement.specifier
    serving: dict[NodeKey, Arc] = {}
    for arc in known:
        node = arc.edge.node
        if node.name == name and specifier.contains(node.version, prereleases=True):
            serving.setdefault(node, arc)
    first = next(iter(serving.values()), None)
    # Equal names with other requirements lead to other versions: the first requirement is the one that is meant.
    return tuple(arc for arc in serving.values() if first and arc.edge.requirement == first.edge.requirement)


def resolve_stage(
    graph: Graph,
    resolve: Resolve,
    requirements: Sequence[Requirement],
    listings: Mapping[str, ProjectListing],
    rules: RunRules,
    held: Mapping[str, ProjectListing] = _NOTHING_HELD,
) -> Resolved:
    """The stage with a version for each requirement that has one.

    The answer of a hook makes two edges a requirement, for the wheel and for the sdist, since it
    was asked once for both. held: prebuilt wheels that our index has, which go before those of others.
    """
    kinds: tuple[e.EdgeKind, ...] = ("build-sdist", "build-backend") if resolve.stage == "hook" else (resolve.stage,)
    known = static_arcs(graph, resolve)
    edges: list[e.Edge] = []
    failures: list[e.RequirementUnresolvable] = []
    for requirement in requirements:
        serving = serving_arcs(requirement, known)
        if serving:
            edges += [_copied(arc.edge, kind, requirement) for kind in kinds for arc in serving]
            continue
        listing = listings.get(str(canonicalize_name(requirement.name))) or missing_project(requirement.name)
        outcome = _choose(graph, resolve, requirement, listing, kinds[-1], rules, held)
        if isinstance(outcome, Refusal) and rules.entries is not None and resolve.stage == "install":
            continue  # an order need not hold all that its wheels install, unless an environment does
        if isinstance(outcome, Refusal):
            failures.append(_unresolvable(graph, resolve, requirement, outcome))
        else:
            edges += [_edge(found, kind, requirement, listing, rules) for kind in kinds for found in outcome]
    return Resolved(stage_events(graph, resolve, edges), tuple(failures), _recipes(edges, rules.customised))


def _recipes(edges: Sequence[e.Edge], customised: Customised) -> tuple[tuple[Sha256, bytes], ...]:
    named = (edge for edge in edges if edge.recipe.preparation or edge.recipe.build or edge.recipe.hooks)
    texts = {text for node, prebuilt in {_made(edge) for edge in named} for text in _texts(customised, node, prebuilt)}
    return tuple((recipe_digest(text), text) for text in sorted(texts))


def _made(edge: e.Edge) -> tuple[NodeKey, bool]:
    """The node, and whether its wheel is made elsewhere."""
    return edge.node, edge.source_type == "prebuilt"


def _texts(customised: Customised, node: NodeKey, prebuilt: bool) -> Iterator[bytes]:
    recipe = customised.recipe_of(node, prebuilt=prebuilt)
    yield from filter(None, (recipe.preparation, recipe.build, customised.hooks_of(node, prebuilt=prebuilt)))


def stage_events(graph: Graph, resolve: Resolve, edges: Sequence[e.Edge]) -> tuple[e.RequirementsResolved, ...]:
    """The edges in as many events as their size asks for; at least one, and only the last says that it is all."""
    parts = [edges[start : start + EDGES_AN_EVENT] for start in range(0, len(edges), EDGES_AN_EVENT)] or [()]
    return tuple(
        e.RequirementsResolved(
            graph.run,
            graph.target,
            resolve.node,
            resolve.stage,
            tuple(part),
            extras=resolve.extras,
            more=number < len(parts),
        )
        for number, part in enumerate(parts, 1)
    )


def static_arcs(graph: Graph, resolve: Resolve) -> tuple[Arc, ...]:
    """The edges of the static build requirements that a hook's answer may lead to."""
    return graph.build_arcs(resolve.node) if resolve.stage == "hook" and resolve.node is not None else ()


def _choose(
    graph: Graph,
    resolve: Resolve,
    requirement: Requirement,
    listing: ProjectListing,
    kind: e.EdgeKind,
    rules: RunRules,
    held: Mapping[str, ProjectListing],
) -> tuple[Choice, ...] | Refusal:
    """The versions that serve, newest first: one, unless the run takes every one."""
    name = str(canonicalize_name(requirement.name))
    fault = rules.customised.choice_fault(name)
    if fault:
        return not_ours(name, fault)
    if name in held:
        outcome = choose_entry(requirement, held[name], rules.constraints)
        if isinstance(outcome, Choice):
            return (outcome,)
    if rules.entries is not None:
        entry = choose_entry(requirement, listing, rules.constraints)
        return (entry,) if isinstance(entry, Choice) else entry
    parent = Parent(resolve.node.name if resolve.node is not None else None, kind)
    every = choose_every(
        requirement,
        listing,
        parent,
        constraints=rules.constraints,
        target=rules.target,
        as_of=rules.as_of,
        previous=rules.previous,
        sought=sought_for(requirement, kind, rules.customised, rules.ages),
        top_level=_top_level(graph) if rules.previous is not None else (),
        most=None if rules.every_version else 1,
    )
    every = every if isinstance(every, Refusal) else with_source(every, name, rules.customised)
    allowed = rules.hashes.get(str(requirement)) if resolve.node is None else None
    return with_hashes(every, allowed) if allowed and not isinstance(every, Refusal) else every


def _top_level(graph: Graph) -> list[KnownVersion]:
    arcs = graph.stages.get(StageId(None, "toplevel"), ())
    return [
        KnownVersion(canonicalize_name(arc.edge.node.name), Version(arc.edge.node.version), arc.edge.source_url, False)
        for arc in arcs
    ]


def _edge(
    choice: Choice, kind: e.EdgeKind, requirement: Requirement, listing: ProjectListing, rules: RunRules
) -> e.Edge:
    names = file_names_of(listing, choice.version, as_of=rules.as_of)
    name = str(canonicalize_name(requirement.name))
    node = NodeKey(name, choice.version)
    source = source_of(choice.candidate, node, rules.customised, stated=rules.entries is not None)
    return e.Edge(
        kind=kind,
        requirement=str(requirement),
        node=node,
        source_url=source.url,
        source_name=source.name,
        source_sha256=source.sha256,
        expectation=rules.customised.expectation_of(name) or expectation_of(names),
        source_type=source.type,
        recipe=rules.customised.recipe_of(node, prebuilt=source.type == "prebuilt").node,
        constraint=rules.constraints.text(name),
        why=_why(choice),
    )


def _why(choice: Choice) -> str:
    """The rule that chose, and what keeps newer versions out, short enough for an event."""
    kept_out = [str(item) for item in choice.excluded[:5]]
    return "; kept out: ".join([choice.why, *(["; ".join(kept_out)] if kept_out else [])])


def _copied(edge: e.Edge, kind: e.EdgeKind, requirement: Requirement) -> e.Edge:
    return msgspec.structs.replace(edge, kind=kind, requirement=str(requirement), why="serves a static requirement")


def _unresolvable(
    graph: Graph, resolve: Resolve, requirement: Requirement, refusal: Refusal
) -> e.RequirementUnresolvable:
    return e.RequirementUnresolvable(
        graph.run,
        graph.target,
        resolve.node,
        resolve.stage,
        str(requirement),
        refusal.reason,
        refusal.hint,
        resolve.extras,
    )
