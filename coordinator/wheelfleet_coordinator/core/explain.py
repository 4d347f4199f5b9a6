"""Why a distribution stands where it stands, and why it has this version."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from wheelfleet_shared.core import messages as m
from wheelfleet_shared.core.build import Build, Status
from wheelfleet_shared.names import NodeKey, RunId, TargetId

from .critical_paths import CriticalPaths
from .failures import failure_rows
from .faster import Faster, SlotAhead, left_of
from .fleet_now import ask_of, may_have
from .graph import Graph, GraphNode, closure
from .node_result import node_result
from .run_nodes import nodes_named
from .scheduling import refusal
from .standing import Stand, Standing
from .waits import stand_in_words
from .walk import Walk
from .world import World


class ExplainedNode(msgspec.Struct, frozen=True):
    """One node, for machines. Entries of the lists are sentences, but ``waited_for_by``: node keys.

    failure: None unless it failed. urgency: of a build that waits, how long a chain waits for it.
    """

    target: TargetId
    node: str
    state: str
    version_because: tuple[str, ...]
    waits_for: tuple[str, ...]
    agents: tuple[str, ...]
    waited_for_by: tuple[str, ...]
    failure: m.FailureRow | None = None
    urgency: tuple[str, ...] = ()


class Explanation(msgspec.Struct, frozen=True, tag_field="type", tag=True):
    """All nodes of one name in a run."""

    run: RunId
    name: str
    nodes: tuple[ExplainedNode, ...]


def explain(world: World, walk: Walk, run: RunId, name: str, agents: Sequence[m.AgentRow]) -> m.Text:
    """For each node of that name: its state, its version's reason, what it waits for, who could build it, who waits.

    The data is an ``Explanation``. Raises InputError where the run has none.
    """
    nodes = tuple(_explained(world, walk, graph, node, agents) for graph, node in nodes_named(world, run, name))
    lines = tuple(line for node in nodes for line in _lines(node))
    return m.Text(lines, msgspec.to_builtins(Explanation(run, name, nodes)))


def _explained(world: World, walk: Walk, graph: Graph, node: GraphNode, agents: Sequence[m.AgentRow]) -> ExplainedNode:
    return ExplainedNode(
        target=graph.target,
        node=str(node.key),
        state=_state(world, walk, graph, node),
        version_because=tuple(_version(node)),
        waits_for=tuple(_unmet(walk, graph, node)),
        agents=tuple(_agents(world, walk, graph, node, agents)),
        waited_for_by=tuple(str(key) for key in _waiting_for(walk, graph, node.key)),
        failure=_failure(world, walk, graph, node),
        urgency=tuple(_urgency(world, walk, graph, node)),
    )


def _lines(node: ExplainedNode) -> Iterator[str]:
    name, _, version = node.node.partition("==")
    yield f"{name} {version} on {node.target}: {node.state}"
    parts = {
        "version": node.version_because,
        "waits for": node.waits_for,
        "urgency": node.urgency,
        "agents": node.agents,
        "failure": tuple(_failure_lines(node.failure)) if node.failure is not None else (),
        "waiting for it": node.waited_for_by,
    }
    for title, found in parts.items():
        if found:
            yield f"  {title}:"
            yield from (f"    {line}" for line in found)


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
    rows = tuple(agents)
    for row in rows:
        why_not = _why_not(world, build, row) or _left_to(world, build, row, rows)
        yield f"{row.agent} {why_not}" if why_not else f"{row.agent} could take it"


def _why_not(world: World, build: Build, row: m.AgentRow) -> str:
    if row.status in {"left", "silent"}:
        return "has left" if row.status == "left" else "is silent"
    agent = world.agent(row.agent)
    ask = ask_of(agent)
    if ask is None:
        return "has not joined"
    claimed = (world.builds[other] for other in world.by_status[Status.CLAIMED] if other != build.id)
    why_not = refusal(build, agent, ask, [other for other in claimed if other.owner == row.agent])
    if why_not or build.owner == row.agent:
        return why_not or "is building it"
    return f"has all {row.slots} slots busy" if len(row.held) >= row.slots else ""


def _left_to(world: World, build: Build, row: m.AgentRow, rows: Iterable[m.AgentRow]) -> str:
    """Whether a faster agent would end it earlier, in words."""
    durations = world.durations
    slots = (slot for other in rows if other.status == "alive" for slot in _slots(world, other))
    found = Faster(row.agent, durations.speed(row.agent), slots, durations.of, may_have).take(build)
    return f"leaves it to {found}, which ends it earlier" if found else ""


def _slots(world: World, row: m.AgentRow) -> Iterator[SlotAhead]:
    agent, speed = world.agent(row.agent), world.durations.speed(row.agent)
    ask = ask_of(agent)
    if ask is None:
        return
    claimed = (world.builds[other] for other in world.by_status[Status.CLAIMED])
    took = {str(b.plan.node): world.durations.of(b) / speed for b in claimed if b.plan and b.owner == row.agent}
    for slot in row.held:
        yield SlotAhead(agent, ask, speed, left_of(took.get(slot.node, 0.0), slot.seconds))
    yield from [SlotAhead(agent, ask, speed, 0.0)] * (row.slots - len(row.held))


def _urgency(world: World, walk: Walk, graph: Graph, node: GraphNode) -> Iterator[str]:
    """How much work waits for a build that has not begun. Cost: linear in the graphs of active runs."""
    standing = walk.standing(graph.id, node.key)
    if standing is None or standing.build is None or standing.settled:
        return
    build = world.build(standing.build)
    if build.plan is None or build.ended or build.status is Status.CLAIMED:
        return
    paths = CriticalPaths(world, walk)
    paths.refresh()
    chain = " → ".join(map(str, paths.chain(build)))
    longest = paths.seconds(build)
    yield f"{longest:.1f} s to the end of the longest chain that waits for it" + (f": {chain}" if chain else "")


def _failure(world: World, walk: Walk, graph: Graph, node: GraphNode) -> m.FailureRow | None:
    rows = failure_rows(world, walk, graph)
    return next((row for row in rows if row.node == str(node.key)), None)


def _failure_lines(row: m.FailureRow) -> Iterator[str]:
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
