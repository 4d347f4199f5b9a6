"""Why a distribution stands where it stands, and why it has this version."""

from collections.abc import Iterable, Iterator, Sequence

from wheelfleet_shared.core import messages as m
from wheelfleet_shared.core.build import Build, Status
from wheelfleet_shared.names import NodeKey, RunId

from .failures import failure_rows
from .graph import Graph, GraphNode, closure
from .node_result import node_result
from .progress import stand_in_words
from .run_nodes import nodes_named
from .scheduling import refusal
from .standing import Stand, Standing
from .walk import Walk
from .world import World


def explain(world: World, walk: Walk, run: RunId, name: str, agents: Sequence[m.AgentRow]) -> m.Text:
    """For each node of that name: its state, its version's reason, what it waits for, who could build it, who waits.

    Raises InputError where the run has none.
    """
    lines: list[str] = []
    data: dict[str, object] = {}
    for graph, node in nodes_named(world, run, name):
        parts = {
            "state": [_state(world, walk, graph, node)],
            "version": list(_version(node)),
            "waits for": list(_unmet(walk, graph, node)),
            "agents": list(_agents(world, walk, graph, node, agents)),
            "failure": list(_failure(world, walk, graph, node)),
            "waiting for it": [str(key) for key in _waiting_for(walk, graph, node.key)],
        }
        lines.append(f"{node.key.name} {node.key.version} on {graph.target}: {parts['state'][0]}")
        for title, found in parts.items():
            if found and title != "state":
                lines.append(f"  {title}:")
                lines.extend(f"    {line}" for line in found)
        data[f"{graph.target} {node.key}"] = parts
    return m.Text(tuple(lines), data)


def _state(world: World, walk: Walk, graph: Graph, node: GraphNode) -> str:
    standing = walk.standing(graph.id, node.key)
    if standing is None or standing.settled:
        return node_result(world, graph, node).status
    words = stand_in_words(standing)
    build = world.build(standing.build) if standing.build is not None else None
    if build is not None and build.status is Status.CLAIMED:
        return f"{words} by {build.owner}, attempt {build.attempts}"
    return words


def _version(node: GraphNode) -> Iterator[str]:
    """Each distinct requirement that led to it, with the rule that chose this version."""
    seen: set[tuple[str, str]] = set()
    for parent, edge in node.arcs_in:
        said = f"{edge.requirement}" + (f" (constraint {edge.constraint})" if edge.constraint else "")
        if (str(parent), said) in seen:
            continue
        seen.add((str(parent), said))
        origin = f"{edge.kind} requirement of {parent}" if parent is not None else "required by the run"
        yield f"{said}, {origin}" + (f": {edge.why}" if edge.why else "")


def _unmet(walk: Walk, graph: Graph, node: GraphNode) -> Iterator[str]:
    """Every visit of the build's closure that is not met, in words."""
    standing = walk.standing(graph.id, node.key)
    if standing is None or standing.settled or standing.stand is Stand.PUBLISHED:
        return
    for stage in ("build-system", "hook"):
        yield from (f"a version for {line}" for line in graph.failures_of(node.key, stage))
    told: set[NodeKey] = set()
    for visit, via in closure(graph, graph.build_arcs(node.key)).items():
        other = walk.standing(graph.id, visit.node)
        resolved = graph.install_arcs(visit) is not None
        if visit.node in told or (_is_met(other) and resolved):
            continue
        told.add(visit.node)
        role = f"installed by {via.node}" if via is not None else "build requirement"
        yield f"{visit.node} ({role}): {stand_in_words(other)}"


def _is_met(standing: Standing | None) -> bool:
    return standing is not None and standing.stand is Stand.PUBLISHED


def _agents(world: World, walk: Walk, graph: Graph, node: GraphNode, agents: Iterable[m.AgentRow]) -> Iterator[str]:
    """Of each agent whether it could take the node's build now, and why not."""
    standing = walk.standing(graph.id, node.key)
    if standing is None or standing.build is None or standing.settled:
        return
    build = world.build(standing.build)
    if build.plan is None or build.ended:
        return
    for row in agents:
        why_not = _why_not(world, build, row)
        yield f"{row.agent} {why_not}" if why_not else f"{row.agent} could take it"


def _why_not(world: World, build: Build, row: m.AgentRow) -> str:
    if row.status in {"left", "silent"}:
        return "has left" if row.status == "left" else "is silent"
    agent = world.agent(row.agent)
    joined = agent.joined
    if joined is None:
        return "has not joined"
    why_not = refusal(build, agent, m.Ask(joined.incarnation, joined.targets, joined.memory, joined.disk))
    if why_not or build.owner == row.agent:
        return why_not or "is building it"
    return f"has all {row.slots} slots busy" if len(row.held) >= row.slots else ""


def _failure(world: World, walk: Walk, graph: Graph, node: GraphNode) -> Iterator[str]:
    for row in failure_rows(world, walk, graph):
        if row.node == str(node.key):
            yield f"{row.phase} ({row.kind}): {row.line}"
            yield from (f"| {line}" for line in row.tail)
            if row.hint:
                yield f"hint: {row.hint}"
            yield f"reproduce: {row.reproduce}"


def _waiting_for(walk: Walk, graph: Graph, key: NodeKey) -> list[NodeKey]:
    """The nodes of the graph whose first unmet condition is this one."""
    found = []
    for other in graph.nodes:
        standing = walk.standing(graph.id, other)
        if standing is not None and standing.stand is Stand.WAITING and standing.waits_for == key:
            found.append(other)
    return sorted(found)
