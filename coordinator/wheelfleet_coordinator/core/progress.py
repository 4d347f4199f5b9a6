"""A run at one moment: counts, slots, what waits and why, an estimate of the time left."""

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import islice

from wheelfleet_shared.core import messages as m
from wheelfleet_shared.core.build import Build
from wheelfleet_shared.names import RunId

from .estimate import Measured, Open, remaining_seconds
from .failures import failure_rows
from .graph import Graph, GraphNode
from .milestones import milestones
from .node_result import node_results
from .standing import Stand, Standing
from .walk import Walk
from .world import World

WAIT_ROWS = 50
"""Waiting nodes that an answer lists; the counts tell of all."""
_RUNNING = frozenset({Stand.FETCHING, Stand.PREPARING, Stand.RESOLVING, Stand.BUILDING, Stand.VERIFYING})
_WORDS = {
    Stand.FETCHING: "its source is being fetched",
    Stand.PREPARING: "its source is being prepared",
    Stand.RESOLVING: "versions of its requirements are being chosen",
    Stand.LOCKING: "its environment is being locked",
    Stand.QUEUED: "it is queued for a free slot",
    Stand.BUILDING: "it is being built",
    Stand.VERIFYING: "its result is being verified",
    Stand.RETRYING: "an attempt was aborted; it will be tried again",
    Stand.PUBLISHED: "what it installs is being resolved",
    Stand.FAILED: "it failed",
}


def progress(
    world: World, walk: Walk, run: RunId, slots: tuple[m.SlotRow, ...], *, at: float, since: int, index_url: str
) -> m.Progress:
    """How far a submitted run is. at: seconds since the epoch. since: sequence up to which milestones are known.

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
        counts=tuple(_final_counts(world, graph) if finished else _counts(walk, graph) for graph in graphs),
        slots=() if finished else slots,
        waiting=() if finished else tuple(islice(_waiting(walk, graphs), WAIT_ROWS)),
        failures=tuple(row for graph in graphs for row in failure_rows(world, walk, graph)),
        milestones=milestones(world, walk, graphs, since),
        elapsed=max(0.0, elapsed),
        remaining=0.0 if finished else _remaining(world, walk, graphs, slots, elapsed),
        index_url=index_url,
    )


def _counts(walk: Walk, graph: Graph) -> m.TargetCounts:
    found = Counter(_column(walk.standing(graph.id, key)) for key in graph.nodes)
    failed = found["failed"] + sum(len(items) for items in graph.unresolvable.values())
    return m.TargetCounts(graph.target, found["built"], found["taken_over"], found["running"], found["waiting"], failed)


def _column(standing: Standing | None) -> str:
    if standing is None:
        return "waiting"
    match standing.stand:
        case Stand.PUBLISHED:
            return "taken_over" if standing.taken_over else "built"
        case Stand.FAILED:
            return "failed"
        case stand:
            return "running" if stand in _RUNNING else "waiting"


_FINAL_COLUMNS = {"built": "built", "sdist only": "built", "taken over": "taken_over", "failed": "failed"}


def _final_counts(world: World, graph: Graph) -> m.TargetCounts:
    found = Counter(_FINAL_COLUMNS.get(result.status, "waiting") for result in node_results(world, graph))
    failed = found["failed"] + sum(len(items) for items in graph.unresolvable.values())
    return m.TargetCounts(graph.target, found["built"], found["taken_over"], waiting=found["waiting"], failed=failed)


def _waiting(walk: Walk, graphs: Iterable[Graph]) -> Iterable[m.WaitRow]:
    """Those that wait themselves; what merely runs stands with the slots."""
    for graph in graphs:
        for key in graph.nodes:
            standing = walk.standing(graph.id, key)
            if standing is not None and _column(standing) == "waiting":
                yield m.WaitRow(str(key), reason(walk, graph, standing))


def reason(walk: Walk, graph: Graph, standing: Standing) -> str:
    """Why a node does not move, or what is being done about it, in words."""
    if standing.stand is not Stand.WAITING or standing.waits_for is None:
        return _WORDS.get(standing.stand, "its turn has not come")
    other = standing.waits_for
    return f"it waits for {other}: {stand_in_words(walk.standing(graph.id, other))}"


def stand_in_words(standing: Standing | None) -> str:
    """A stand without naming what it waits for."""
    if standing is None:
        return "it is new"
    if standing.stand is Stand.WAITING:
        return f"it waits for {standing.waits_for}" if standing.waits_for is not None else "its turn has not come"
    if standing.stand is Stand.PUBLISHED and standing.settled:
        return "it is published"
    return _WORDS[standing.stand]


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
