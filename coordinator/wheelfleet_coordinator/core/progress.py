"""A run at one moment: counts, slots, what waits and why, an estimate of the time left."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from itertools import islice

from wheelfleet_shared.core import messages as m
from wheelfleet_shared.core.build import Build
from wheelfleet_shared.names import RunId, TargetId

from .estimate import Measured, Open, remaining_seconds
from .failures import failure_rows
from .graph import Graph, GraphNode
from .milestones import milestones
from .node_result import node_results
from .standing import Stand, Standing
from .waits import is_running, lacking_targets, reason, wait_groups
from .walk import Walk
from .world import World

WAIT_ROWS = 50
"""Waiting nodes that an answer lists; the counts tell of all."""


def progress(
    world: World,
    walk: Walk,
    run: RunId,
    slots: tuple[m.SlotRow, ...],
    *,
    at: float,
    since: int,
    index_url: str,
    offered: Collection[TargetId] | None = None,
) -> m.Progress:
    """How far a submitted run is. at: seconds since the epoch. since: sequence up to which milestones are known.

    offered: targets of alive agents; None where that is not known.

    Cost: linear in the nodes of the run, some 10 µs each.
    """
    state = world.runs[run]
    graphs = world.graphs_of(run)
    finished = state.finished is not None
    elapsed = (state.finished_at if finished else at) - state.submitted_at
    return m.Progress(
        run=run,
        status=state.status,
        through=world.through,
        counts=tuple(_final_counts(world, graph) if finished else _counts(world, walk, graph) for graph in graphs),
        slots=() if finished else slots,
        waiting=() if finished else tuple(islice(_waiting(world, walk, graphs), WAIT_ROWS)),
        waits=() if finished else wait_groups(world, walk, graphs),
        lacking=() if finished or offered is None else lacking_targets(world, walk, graphs, offered),
        failures=tuple(row for graph in graphs for row in failure_rows(world, walk, graph)),
        milestones=milestones(world, walk, graphs, since),
        elapsed=max(0.0, elapsed),
        remaining=0.0 if finished else _remaining(world, walk, graphs, slots, elapsed),
        index_url=index_url,
    )


def _counts(world: World, walk: Walk, graph: Graph) -> m.TargetCounts:
    found = Counter(_column(world, walk.standing(graph.id, key)) for key in graph.nodes)
    failed = found["failed"] + sum(len(items) for items in graph.unresolvable.values())
    return m.TargetCounts(graph.target, found["built"], found["taken_over"], found["running"], found["waiting"], failed)


def _column(world: World, standing: Standing | None) -> str:
    """The column of a node. Running is what takes a slot: fetching, choosing versions and checks take none."""
    if standing is None:
        return "waiting"
    match standing.stand:
        case Stand.PUBLISHED:
            return "taken_over" if standing.taken_over else "built"
        case Stand.FAILED:
            return "failed"
        case _:
            return "running" if is_running(world, standing) else "waiting"


_FINAL_COLUMNS = {"built": "built", "sdist only": "built", "taken over": "taken_over", "failed": "failed"}


def _final_counts(world: World, graph: Graph) -> m.TargetCounts:
    found = Counter(_FINAL_COLUMNS.get(result.status, "waiting") for result in node_results(world, graph))
    failed = found["failed"] + sum(len(items) for items in graph.unresolvable.values())
    return m.TargetCounts(graph.target, found["built"], found["taken_over"], waiting=found["waiting"], failed=failed)


def _waiting(world: World, walk: Walk, graphs: Iterable[Graph]) -> Iterable[m.WaitRow]:
    """Those that wait themselves; what merely runs stands with the slots."""
    for graph in graphs:
        for key in graph.nodes:
            standing = walk.standing(graph.id, key)
            if standing is not None and _column(world, standing) == "waiting":
                yield m.WaitRow(str(key), reason(walk, graph, standing))


def _remaining(world: World, walk: Walk, graphs: Iterable[Graph], slots: Iterable[m.SlotRow], elapsed: float) -> float:
    running: Mapping[str, float] = {slot.node: slot.seconds for slot in slots if slot.goal != "source"}
    done: list[Measured] = []
    left: list[Open] = []
    for graph in graphs:
        for key, node in graph.nodes.items():
            standing = walk.standing(graph.id, key)
            _sort(world, node, standing, running.get(str(key), 0.0), done, left)
    return remaining_seconds(done, left, elapsed)


def _sort(
    world: World,
    node: GraphNode,
    standing: Standing | None,
    running: float,
    done: list[Measured],
    left: list[Open],
) -> None:
    """The node among what is done in this run or what is left of it; neither where it cost or costs nothing."""
    expectation = node.first.expectation
    if standing is None or standing.stand not in {Stand.PUBLISHED, Stand.FAILED}:
        left.append(Open(expectation, running))
    elif standing.build is not None and not standing.taken_over:
        done.append(Measured(expectation, _wall(world.build(standing.build))))


def _wall(build: Build) -> float:
    """Seconds of the attempt that succeeded; 0 for a build that another one's wheel satisfied."""
    made = build.wheel or build.metadata
    return made.resources.wall if made is not None else 0.0
