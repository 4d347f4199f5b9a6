"""One look at one node: where it stands, and what to do next about it."""

from collections.abc import Collection, Mapping
from typing import Literal, NamedTuple

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.build import GOOD, Build, Status
from wheelfleet_shared.names import BuildId, GraphId, NodeKey, RunId, source_id

from .graph import Graph, GraphNode, Visit
from .greater_tags import file_ahead
from .held_wheels import file_in_the_way, serving_file
from .instructions import (
    AcceptPrebuilt,
    Fetch,
    GiveUp,
    Instruction,
    Lock,
    Plan,
    Queue,
    Refuse,
    Resolve,
    Satisfy,
    TakeOver,
)
from .one_for_all import goes_first
from .readiness import Readiness, is_broken
from .standing import (
    NodeBuilds,
    Stand,
    Standing,
    build_requirements,
    ended_badly,
    is_forced,
    is_of_before,
    lock_is_broken,
    may_reopen,
    node_builds,
    requires_dist,
)
from .world import World

Standings = Mapping[tuple[GraphId, NodeKey], Standing]
Asked = tuple[RunId, BuildId]


class Step(NamedTuple):
    """Where the node stands and what to do about it."""

    standing: Standing
    instructions: tuple[Instruction, ...] = ()


_UNDER_WAY = {
    Status.LOCKED: Stand.QUEUED,
    Status.QUEUED: Stand.QUEUED,
    Status.CLAIMED: Stand.BUILDING,
    Status.BUILT: Stand.VERIFYING,
    Status.ABORTED: Stand.RETRYING,
}


_UNCLAIMED = frozenset({Status.LOCKED, Status.QUEUED, Status.ABORTED})
"""Where a build that has a lock can get another one."""
_NOT_BEGUN = frozenset({Status.ABSENT, Status.PLANNED, Status.BLOCKED, Status.LOCKED, Status.QUEUED, Status.ABORTED})


def step(
    world: World, graph: Graph, node: GraphNode, readiness: Readiness, standings: Standings, asked: Collection[Asked]
) -> Step:
    """Look at one node of an active run. Cost: O(1) but for the check of its closure.

    asked: builds for which the cache servers of a run were asked in vain.
    """
    builds = node_builds(world, graph, node)
    if builds is None:
        return _fetch(world, graph, node)
    result = world.build(builds.result[0])
    if result.status in GOOD and is_forced(world, graph, node) and is_of_before(world, result, graph.run):
        return _plan(graph, builds.result, Stand.PREPARING)
    if result.status in GOOD:
        usable = requires_dist(world, result)
        if usable is None:
            return _plan(graph, builds.result, Stand.PREPARING)
        return _published(world, graph, node, builds, usable)
    if ended_badly(result):
        if may_reopen(world, result, graph.run):
            return _plan(graph, builds.result, Stand.PREPARING)
        return Step(Standing(Stand.FAILED, settled=True, build=result.id))
    if node.first.source_type == "prebuilt":
        return _prebuilt(world, graph, node, builds)
    forced = is_forced(world, graph, node)
    held = _held(world, graph, builds.result, forced=forced)
    if held is not None:
        return held
    if not forced and _may_take_over(world, graph, builds.result, asked):
        return Step(Standing(Stand.FETCHING, build=result.id), (TakeOver(*builds.result, graph.run),))
    prepared = _prepare(world, graph, node, builds)
    return prepared or _result(world, graph, node, builds, readiness, standings)


def _may_take_over(world: World, graph: Graph, named: tuple[BuildId, e.BuildPlanned], asked: Collection[Asked]) -> bool:
    """Whether the run names cache servers that may have this wheel."""
    build, plan = named
    submitted = world.runs[graph.run].submitted
    new = world.build(build).status is Status.ABSENT and (graph.run, build) not in asked
    return new and plan.goal == "wheel" and submitted is not None and bool(submitted.options.cache_servers)


def _prebuilt(world: World, graph: Graph, node: GraphNode, builds: NodeBuilds) -> Step:
    """Bring the wheel into our store, have its hooks called, then publish it; nothing of it is built."""
    build, plan = builds.result
    if world.source(builds.source_file).fetched is None:
        return _fetch(world, graph, node)
    if node.first.recipe.hooks:
        source = world.build(builds.source[0])
        if ended_badly(source) and not may_reopen(world, source, graph.run):
            return Step(Standing(Stand.FAILED, settled=True, build=source.id))
        if source.status is not Status.SUCCEEDED or source.forgotten:
            return _prepare_source(graph, builds, source)
    return Step(Standing(Stand.VERIFYING, build=build), (AcceptPrebuilt(build, plan, graph.run),))


def _held(world: World, graph: Graph, named: tuple[BuildId, e.BuildPlanned], *, forced: bool) -> Step | None:
    """What the wheels that our index holds already mean for a build that has not begun; None: nothing."""
    build, plan = named
    definition = world.targets[graph.target].definition if graph.target in world.targets else None
    state = world.build(build)
    if plan.goal != "wheel" or definition is None or state.status not in _NOT_BEGUN:
        return None
    serving = serving_file(world, plan, definition) if not (forced or _is_being_forced(world, state)) else None
    if serving is not None:
        return Step(Standing(Stand.PREPARING, build=build), (Satisfy(build, plan, graph.run, serving.id),))
    submitted = world.runs[graph.run].submitted
    if state.status is not Status.ABSENT or submitted is None or submitted.options.replace:
        return None
    other = file_in_the_way(world, plan, definition) or file_ahead(world, plan, definition)
    if other is None:
        return None
    return Step(Standing(Stand.PREPARING, build=build), (Refuse(build, plan, graph.run, other.id),))


def _is_being_forced(world: World, build: Build) -> bool:
    """Whether a run builds this anew although its wheel is there, so that wheel must not end the build."""
    wanting = (world.runs[run].submitted for run in build.wanted_by if run in world.runs)
    return any(submitted is not None and submitted.options.force for submitted in wanting)


def _fetch(world: World, graph: Graph, node: GraphNode) -> Step:
    """Bring the source into our store; a failure of before this run is tried again."""
    edge = node.first
    source = world.source(source_id(edge.source_url, edge.source_sha256))
    if source.failed is not None and source.last > world.submitted_at_sequence.get(graph.run, 0):
        return Step(Standing(Stand.FAILED, settled=True))
    fetch = Fetch(source.id, edge.source_url, edge.source_name, edge.source_sha256)
    return Step(Standing(Stand.FETCHING), (fetch,))


def _plan(graph: Graph, named: tuple[BuildId, e.BuildPlanned], stand: Stand) -> Step:
    build, plan = named
    return Step(Standing(stand, build=build), (Plan(build, plan, graph.run),))


def _prepare(world: World, graph: Graph, node: GraphNode, builds: NodeBuilds) -> Step | None:
    """The steps until the patched sdist is there and its build requirements have versions; None when done."""
    source = world.build(builds.source[0])
    if ended_badly(source) and not may_reopen(world, source, graph.run):
        return Step(Standing(Stand.FAILED, settled=True, build=source.id))
    if source.status is not Status.SUCCEEDED or source.forgotten:
        if world.source(builds.source_file).fetched is None:
            return _fetch(world, graph, node)
        return _prepare_source(graph, builds, source)
    if source.source is None or graph.resolved(node.key, "build-system"):
        return None
    resolve = Resolve(graph.id, node.key, "build-system", (), source.source.requirements)
    return Step(Standing(Stand.RESOLVING), (resolve,))


def _prepare_source(graph: Graph, builds: NodeBuilds, source: Build) -> Step:
    if source.status is Status.ABSENT or source.ended or graph.run not in source.wanted_by:
        return _plan(graph, builds.source, Stand.PREPARING)
    if source.status is Status.PLANNED:
        return Step(Standing(Stand.PREPARING, build=source.id), (Queue(source.id),))
    return Step(Standing(Stand.PREPARING, build=source.id))


def _result(
    world: World, graph: Graph, node: GraphNode, builds: NodeBuilds, readiness: Readiness, standings: Standings
) -> Step:
    """The steps from a prepared source to the wheel (or its metadata)."""
    build = world.build(builds.result[0])
    if build.status is Status.ABSENT:
        first = goes_first(world, graph, node, standings)
        waits = Step(Standing(Stand.WAITING, behind=first))
        return waits if first is not None else _plan(graph, builds.result, Stand.WAITING)
    if graph.run not in build.wanted_by:
        return _join(graph, builds, build, _hindrance(graph, node, build, readiness, standings))
    broken = build.status in _UNCLAIMED and lock_is_broken(world, build)
    if build.status in _UNDER_WAY and not broken:
        return Step(Standing(_UNDER_WAY[build.status], build=build.id))
    if build.requirements is not None and not graph.resolved(node.key, "hook"):
        resolve = Resolve(graph.id, node.key, "hook", (), build.requirements)
        return Step(Standing(Stand.RESOLVING, build=build.id), (resolve,))
    leads = _earliest(world, build) == graph.run
    hindrance = _hindrance(graph, node, build, readiness, standings)
    if hindrance is not None:
        return hindrance if leads else Step(hindrance.standing)
    lock = (Lock(build.id, graph.id, node.key),) if leads else ()
    return Step(Standing(Stand.LOCKING, build=build.id), lock)


def _join(graph: Graph, builds: NodeBuilds, build: Build, hindrance: Step | None) -> Step:
    """Want what another run wants, unless this run's own graph rules it out: that is no matter of the other's."""
    if hindrance is not None and hindrance.instructions:
        return Step(Standing(Stand.FAILED, settled=True, build=build.id))
    return _plan(graph, builds.result, Stand.WAITING)


def _hindrance(graph: Graph, node: GraphNode, build: Build, readiness: Readiness, standings: Standings) -> Step | None:
    """Why the build cannot start in this run's graph: a wait, or reasons to give it up; None when it can."""
    unresolvable = [*graph.failures_of(node.key, "build-system"), *graph.failures_of(node.key, "hook")]
    if unresolvable:
        return _give_up(graph, build, "dependency", (str(node.key), *unresolvable))
    chain = readiness.first_unmet(
        graph,
        graph.build_arcs(node.key),
        lambda key: _stands(graph, key, standings, Stand.PUBLISHED),
        lambda key: _stands(graph, key, standings, Stand.FAILED),
    )
    return _wait(graph, node, build, chain, standings) if chain else None


def _earliest(world: World, build: Build) -> str:
    """The earliest run that still wants the build: its graph gives the environment."""
    return next((run for run in build.wanted_by if run in world.runs and world.runs[run].status == "active"), "")


def _stands(graph: Graph, key: NodeKey, standings: Standings, stand: Stand) -> bool:
    standing = standings.get((graph.id, key))
    return standing is not None and standing.stand is stand


def _wait(graph: Graph, node: GraphNode, build: Build, chain: tuple[Visit, ...], standings: Standings) -> Step:
    """Wait for the first unmet visit; give up where it failed or waits for this very node."""
    witness = chain[-1]
    standing = standings.get((graph.id, witness.node))
    if is_broken(graph, witness) or (standing is not None and standing.stand is Stand.FAILED):
        reasons = graph.failures_of(witness.node, "install", witness.extras)
        return _give_up(graph, build, "dependency", (str(node.key), *(str(visit.node) for visit in chain), *reasons))
    cycle = _cycle(graph, node.key, witness.node, standings)
    if cycle:
        return _give_up(graph, build, "cycle", tuple(str(key) for key in cycle))
    return Step(Standing(Stand.WAITING, waits_for=witness.node, build=build.id))


def _cycle(graph: Graph, start: NodeKey, witness: NodeKey, standings: Standings) -> tuple[NodeKey, ...]:
    """The nodes that wait for one another in a ring through ``start``; empty where there is none.

    Only the least node of a ring reports it, so one run tells of each ring once.
    """
    path = [start]
    current: NodeKey | None = witness
    while current is not None and current not in path:
        path.append(current)
        standing = standings.get((graph.id, current))
        current = standing.waits_for if standing is not None and standing.stand is Stand.WAITING else None
    if current != start or start != min(path):
        return ()
    return (*path, start)


def _give_up(graph: Graph, build: Build, reason: Literal["dependency", "cycle"], chain: tuple[str, ...]) -> Step:
    return Step(Standing(Stand.WAITING, build=build.id), (GiveUp(build.id, graph.run, reason, chain),))


def _published(world: World, graph: Graph, node: GraphNode, builds: NodeBuilds, requires: tuple[str, ...]) -> Step:
    """The result is there: what it took to build and what it installs are walked all the same."""
    wanted: list[Instruction] = []
    result = world.build(builds.result[0])
    submitted = world.runs[graph.run].submitted
    if submitted is not None and submitted.options.imports:
        return Step(Standing(Stand.PUBLISHED, settled=True, build=result.id, taken_over=True))
    static, hook = build_requirements(world, world.build(builds.source[0]), result)
    if not graph.resolved(node.key, "build-system"):
        wanted.append(Resolve(graph.id, node.key, "build-system", (), static))
    elif not graph.resolved(node.key, "hook"):
        wanted.append(Resolve(graph.id, node.key, "hook", (), hook))
    wanted.extend(
        Resolve(graph.id, node.key, "install", extras, requires)
        for extras in node.visits
        if not graph.resolved(node.key, "install", extras)
    )
    before = world.ended_at_sequence.get(result.id, 0) < world.submitted_at_sequence.get(graph.run, 0)
    taken = before or result.status is Status.SATISFIED
    standing = Standing(Stand.PUBLISHED, settled=not wanted, build=result.id, taken_over=taken)
    return Step(standing, tuple(wanted))
