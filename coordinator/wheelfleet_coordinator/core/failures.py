"""What failed in a run, root causes first, with all that a person needs to go on."""

from collections import deque
from collections.abc import Iterator

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core import messages as m
from wheelfleet_shared.names import NodeKey

from .graph import Graph
from .node_result import NodeResult, node_result
from .reproduction import reproduce
from .standing import Stand
from .walk import Walk
from .world import World


def failure_rows(world: World, walk: Walk, graph: Graph) -> tuple[m.FailureRow, ...]:
    """Each failed node and each requirement without a version; what only fell with another one comes last.

    Cost: nothing where nothing failed so far; else linear in the nodes.
    """
    finished = world.runs[graph.run].finished is not None
    if not finished and walk.counts(graph.run)[1] == 0:
        return ()
    failed = list(_failed_results(world, walk, graph))
    if not failed and not graph.unresolvable:
        return ()
    paths = paths_from_root(graph)
    rows = [*_unresolvable_rows(world, graph, paths), *(_row(world, graph, result, paths) for result in failed)]
    return tuple(sorted(rows, key=lambda row: (row.phase == "dependency", row.node, row.line)))


def _failed_results(world: World, walk: Walk, graph: Graph) -> Iterator[NodeResult]:
    finished = world.runs[graph.run].finished is not None
    for key, node in graph.nodes.items():
        standing = walk.standing(graph.id, key)
        if finished or (standing is not None and standing.stand is Stand.FAILED):
            result = node_result(world, graph, node)
            if result.status == "failed":
                yield result


Paths = dict[NodeKey | None, tuple[str, ...]]


def paths_from_root(graph: Graph) -> Paths:
    """Of each node a shortest chain of those who need it, from a requirement of the run down to the node itself."""
    children: dict[NodeKey | None, list[NodeKey]] = {}
    for key, node in graph.nodes.items():
        for parent, _ in node.arcs_in:
            children.setdefault(parent, []).append(key)
    found: Paths = {None: ()}
    queue: deque[NodeKey | None] = deque([None])
    while queue:
        parent = queue.popleft()
        for child in children.get(parent, ()):
            if child not in found:
                found[child] = (*found[parent], str(child))
                queue.append(child)
    return found


def _row(world: World, graph: Graph, result: NodeResult, paths: Paths) -> m.FailureRow:
    failure = result.failure or e.Failure("policy", "build", "it ended without a result")
    line = failure.line
    if result.chain:
        line = f"it needs {' → '.join(result.chain[1:])}" if len(result.chain) > 1 else line
    return m.FailureRow(
        node=str(result.node),
        target=graph.target,
        kind=failure.kind,
        phase=failure.phase,
        line=line,
        tail=failure.tail[-20:],
        hint=failure.hint,
        chain=paths.get(result.node, ()),
        reproduce=reproduce(world, graph, str(result.node)),
    )


def _unresolvable_rows(world: World, graph: Graph, paths: Paths) -> Iterator[m.FailureRow]:
    for items in graph.unresolvable.values():
        for item in items:
            yield m.FailureRow(
                node=item.requirement,
                target=graph.target,
                kind="policy",
                phase="resolve",
                line=item.reason,
                hint=item.hint,
                chain=(*paths.get(item.node, ()), item.requirement),
                reproduce=reproduce(world, graph, item.requirement),
            )
