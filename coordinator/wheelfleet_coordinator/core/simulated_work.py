"""The builds of a graph file, as they would stand in the log: what each waits for, takes, and holds up."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.build import Build, Status
from wheelfleet_shared.names import ANY_TARGET, BuildId, BuildKey, IndexName, NodeKey, Sha256, TargetId

from .fleet_file import Fleet
from .graph_file import ROOT, ParsedGraph
from .scheduling import Candidacy
from .urgency import Urgency

_BUILD_KINDS = frozenset({"build-system", "build-backend", "build-sdist"})


class Measured(NamedTuple):
    """Seconds that a node took, and whether a native wheel came out."""

    seconds: float
    native: bool


class Work(NamedTuple):
    """candidacies: every build, queued. seconds: of each, at speed 1. needs: what must be there before it starts."""

    candidacies: Mapping[BuildId, Candidacy]
    seconds: Mapping[BuildId, float]
    needs: Mapping[BuildId, frozenset[BuildId]]


def work_of(
    graph: ParsedGraph, fleet: Fleet, measured: Mapping[str, Measured], targets: Sequence[TargetId] = ()
) -> Work:
    """What it takes to build the graph for the targets (without any: those of the fleet), pure wheels once.

    measured: key of a node → what it took; the others are guessed. Cost: nodes times their build closures.
    """
    wanted = tuple(targets) or fleet.targets
    candidacies, seconds, needs = (
        dict[BuildId, Candidacy](),
        dict[BuildId, float](),
        dict[BuildId, frozenset[BuildId]](),
    )
    kinds = {key: _kind(key, graph, fleet, measured) for key in _built(graph)}
    urgency = _urgency(graph, {key: took for key, (_, took) in kinds.items()})
    for place, (key, (expectation, took)) in enumerate(kinds.items()):
        for target in wanted if expectation == "native" else wanted[:1]:
            build = _build(graph, key, expectation, target)
            long = took + urgency.behind(_node(graph, key))
            candidacies[build.id] = Candidacy(build, 0, long, place)
            seconds[build.id] = took
            before = (other for other in _environment(graph, key) if other in kinds)
            needs[build.id] = frozenset(_id(other, kinds[other][0], target) for other in before)
    return Work(candidacies, seconds, needs)


def _built(graph: ParsedGraph) -> Iterator[str]:
    return (key for key, node in graph.nodes.items() if key != ROOT and not node.pre_built)


def _kind(key: str, graph: ParsedGraph, fleet: Fleet, measured: Mapping[str, Measured]) -> tuple[e.Expectation, float]:
    found = measured.get(key)
    if found is not None:
        return "native" if found.native else "pure", found.seconds
    expectation = fleet.expectation(graph.nodes[key].canonicalized_name)
    return expectation, fleet.guess(expectation)


def _node(graph: ParsedGraph, key: str) -> NodeKey:
    return NodeKey(graph.nodes[key].canonicalized_name, graph.nodes[key].version)


def _id(key: str, expectation: e.Expectation, target: TargetId) -> BuildId:
    return BuildId(f"{key} {target if expectation == 'native' else ANY_TARGET}")


def _build(graph: ParsedGraph, key: str, expectation: e.Expectation, target: TargetId) -> Build:
    build = _id(key, expectation, target)
    plan = e.BuildPlanned(
        goal="wheel",
        key=BuildKey(key),
        index=IndexName(),
        node=_node(graph, key),
        target=target if expectation == "native" else ANY_TARGET,
        host=target,
        source=e.FileRef(key, Sha256(""), 0),
        source_url=graph.nodes[key].download_url,
        expectation=expectation,
    )
    return Build(build, Status.QUEUED, plan)


def _urgency(graph: ParsedGraph, seconds: Mapping[str, float]) -> Urgency:
    by_node = {_node(graph, key): took for key, took in seconds.items()}
    found = Urgency(lambda node: by_node.get(node, 0.0))
    for key, node in graph.nodes.items():
        if key == ROOT:
            continue
        needed = [_node(graph, edge.key) for edge in node.edges if edge.req_type in _BUILD_KINDS]
        installed = [_node(graph, edge.key) for edge in node.edges if edge.req_type not in _BUILD_KINDS]
        if not node.pre_built:
            found.builds_with(_node(graph, key), needed)
        found.installs(_node(graph, key), installed)
    return found


def _environment(graph: ParsedGraph, key: str) -> set[str]:
    """All that must be installed to build a node: its build requirements and what these install."""
    todo = [edge.key for edge in graph.nodes[key].edges if edge.req_type in _BUILD_KINDS]
    found: set[str] = set()
    while todo:
        other = todo.pop()
        if other not in found:
            found.add(other)
            todo.extend(edge.key for edge in graph.nodes[other].edges if edge.req_type not in _BUILD_KINDS)
    return found
