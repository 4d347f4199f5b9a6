"""What is worth a line in a plain log of a run; phrases that scripts look for are fromager's."""

from collections.abc import Iterable

from wheelfleet_shared.core import messages as m
from wheelfleet_shared.core.build import Build
from wheelfleet_shared.names import NodeKey, RunId, source_id

from .graph import Graph, GraphNode
from .node_result import node_result
from .standing import Stand, Standing
from .walk import Walk
from .world import World


def milestones(world: World, walk: Walk, graphs: Iterable[Graph], since: int) -> tuple[m.Milestone, ...]:
    """What happened after the sequence ``since``, in the order of the log. Cost: linear in the nodes."""
    shown = tuple(graphs)
    found = [
        milestone
        for graph in shown
        for node in graph.nodes.values()
        for milestone in _of_node(world, walk, graph, node, since)
    ]
    found += [milestone for graph in shown for milestone in _unresolvable(graph, since)]
    found += [milestone for run in {graph.run for graph in shown} for milestone in _untimed(world, run, since)]
    return tuple(sorted(found, key=lambda milestone: (milestone.sequence, milestone.text)))


def _of_node(world: World, walk: Walk, graph: Graph, node: GraphNode, since: int) -> Iterable[m.Milestone]:
    if node.since > since:
        yield m.Milestone(
            node.since, 0.0, f"{_title(node.key)}: {node.first.requirement} resolves to {node.key.version}"
        )
    found = _unpromised(world, node)
    if found is not None and found.sequence > since:
        yield found
    ended = _end(world, walk, graph, node)
    if ended is not None and ended.sequence > since:
        yield ended


def _unpromised(world: World, node: GraphNode) -> m.Milestone | None:
    """The hash that was found where the index promises none: said, since nobody vouches for it."""
    source = world.source(source_id(node.first.source_url, node.first.source_sha256))
    if source.fetched is None or source.fetched.promised:
        return None
    text = f"{_title(node.key)}: the index promises no sha256; found {source.fetched.file.sha256}"
    return m.Milestone(max(source.last, node.since), 0.0, text)


def _unresolvable(graph: Graph, since: int) -> Iterable[m.Milestone]:
    for place, items in graph.unresolvable.items():
        for item in items:
            sequence = graph.unresolvable_at[place, item.requirement]
            if sequence > since:
                yield m.Milestone(sequence, 0.0, f"{item.requirement}: failed: {item.reason}")


def _untimed(world: World, run: RunId, since: int) -> Iterable[m.Milestone]:
    """Said once a run, where the index does not tell when files were uploaded."""
    sequence = world.untimed.get(run, 0)
    if sequence > since:
        yield m.Milestone(sequence, 0.0, "the index tells no upload times: --as-of cannot be used with it")


def _end(world: World, walk: Walk, graph: Graph, node: GraphNode) -> m.Milestone | None:
    """How the node ended in this run, at the sequence from which on everyone can see it."""
    standing = walk.standing(graph.id, node.key)
    if standing is None:
        standing = _final_standing(world, graph, node)
    if standing.stand is Stand.FAILED:
        return _failed(world, node, standing)
    if standing.stand is not Stand.PUBLISHED or standing.build is None:
        return None
    build = world.build(standing.build)
    sequence = world.ended_at_sequence.get(build.id, 0)
    if standing.taken_over:
        fetched = world.source(source_id(node.first.source_url, node.first.source_sha256))
        unknown_before = fetched.last if not node.first.source_sha256 else 0
        sequence = max(sequence, node.since, unknown_before)
        return m.Milestone(sequence, 0.0, f"{_title(node.key)}: using existing wheel {_file_name(world, build)}")
    return m.Milestone(sequence, build.ended_at, f"{_title(node.key)}: {_made(world, build)}")


def _final_standing(world: World, graph: Graph, node: GraphNode) -> Standing:
    """What the walk would say, had it not forgotten a finished run."""
    result = node_result(world, graph, node)
    match result.status:
        case "built" | "taken over" | "sdist only":
            return Standing(Stand.PUBLISHED, True, build=result.build, taken_over=result.status == "taken over")
        case "failed":
            return Standing(Stand.FAILED, True, build=result.build)
        case "unfinished":
            return Standing(Stand.WAITING)


def _failed(world: World, node: GraphNode, standing: Standing) -> m.Milestone:
    if standing.build is None:
        source = world.source(source_id(node.first.source_url, node.first.source_sha256))
        reason = source.failed.reason if source.failed is not None else "its source cannot be had"
        return m.Milestone(max(source.last, node.since), 0.0, f"{_title(node.key)}: failed: {reason}")
    build = world.build(standing.build)
    sequence = max(world.ended_at_sequence.get(build.id, 0), node.since)
    return m.Milestone(sequence, build.ended_at, f"{_title(node.key)}: failed: {_fault(build)}")


def _fault(build: Build) -> str:
    if build.failure is not None:
        return build.failure.line
    return f"it needs {build.chain[-1]}, which failed" if build.chain else str(build.status)


def _made(world: World, build: Build) -> str:
    if build.plan is not None and build.plan.goal == "metadata":
        wall = build.metadata.resources.wall if build.metadata is not None else 0.0
        return f"metadata prepared in {wall:.1f} s"
    if build.wheel is None:
        return f"using existing wheel {_file_name(world, build)}"
    return f"built in {build.wheel.resources.wall:.1f} s ({build.wheel.wheel.file_name})"


def _file_name(world: World, build: Build) -> str:
    file = world.wheel_of(build)
    return file.accepted.file.file_name if file is not None and file.accepted is not None else "(metadata)"


def _title(node: NodeKey) -> str:
    """How fromager begins a line about a distribution."""
    return f"{node.name}-{node.version}"
