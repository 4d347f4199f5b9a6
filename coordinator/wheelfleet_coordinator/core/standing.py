"""Where a node of a graph stands, derived from the world; nothing here is stored."""

from enum import StrEnum
from functools import lru_cache

import msgspec

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.build import GOOD, Build, Status, plan_build
from wheelfleet_shared.names import (
    ANY_TARGET,
    BuildId,
    IndexName,
    NodeKey,
    RunId,
    Sha256,
    SourceId,
    TargetId,
    source_id,
)

from .graph import Graph, GraphNode
from .world import World


class Stand(StrEnum):
    """The part of its way that a node is on."""

    FETCHING = "fetching"
    PREPARING = "preparing"
    RESOLVING = "resolving"
    WAITING = "waiting"
    LOCKING = "locking"
    QUEUED = "queued"
    BUILDING = "building"
    VERIFYING = "verifying"
    RETRYING = "retrying"
    PUBLISHED = "published"
    FAILED = "failed"


class Standing(msgspec.Struct, frozen=True, gc=False):
    """A node's place on its way.

    waits_for: the node that must move first, where the stand is WAITING. settled: nothing more
    will happen to it in this run. build: the one under way, or the one that ended it. behind: the
    target of the run that builds the node first, to show whether its wheel serves the others.
    """

    stand: Stand
    settled: bool = False
    waits_for: NodeKey | None = None
    build: BuildId | None = None
    taken_over: bool = False
    behind: TargetId | None = None


class NodeBuilds(msgspec.Struct, frozen=True):
    """The ids of the builds of a node, and the events that would name them."""

    source_file: SourceId
    source: tuple[BuildId, e.BuildPlanned]
    result: tuple[BuildId, e.BuildPlanned]


def node_builds(world: World, graph: Graph, node: GraphNode) -> NodeBuilds | None:
    """The builds that bring a node about; None while the identity of its source is not known."""
    edge = node.first
    source = source_id(edge.source_url, edge.source_sha256)
    fetched = world.source(source).fetched
    sha256 = edge.source_sha256 or (fetched.file.sha256 if fetched else "")
    submitted = world.runs[graph.run].submitted
    if not sha256 or submitted is None:
        return None
    size = fetched.file.size if fetched else 0
    place = (node, submitted.index, graph.target, sha256, size)
    if submitted.options.sdist_only and node.key not in graph.wheel_needed:
        return _named(*place, "metadata", graph.target)
    if edge.expectation != "pure":
        return _named(*place, "wheel", graph.target)
    shared = _named(*place, "wheel", ANY_TARGET)
    split = world.build(shared.result[0]).status is Status.SPLIT
    return _named(*place, "wheel", graph.target) if split else shared


@lru_cache(maxsize=1 << 15)
def _named(
    node: GraphNode, index: IndexName, host: TargetId, sha256: str, size: int, goal: e.Goal, target: TargetId
) -> NodeBuilds:
    """Remembered by node, since a walk asks at every look and the answer hardly ever changes."""
    edge = node.first
    file = e.FileRef(edge.source_name, Sha256(sha256), size)
    return NodeBuilds(
        source_id(edge.source_url, edge.source_sha256),
        _plan_of("source", index, ANY_TARGET, host, edge, file),
        _plan_of(goal, index, target, host, edge, file),
    )


def _plan_of(
    goal: e.Goal, index: IndexName, target: TargetId, host: TargetId, edge: e.Edge, file: e.FileRef
) -> tuple[BuildId, e.BuildPlanned]:
    return plan_build(
        goal,
        index,
        edge.node,
        target=target,
        host=host,
        source=file,
        source_url=edge.source_url,
        expectation=edge.expectation,
        recipe=edge.recipe,
    )


def ended_badly(build: Build) -> bool:
    """Whether the build ended without a result."""
    return build.ended and build.status not in {Status.SUCCEEDED, Status.SATISFIED}


def may_reopen(world: World, build: Build, run: RunId) -> bool:
    """Whether a run may try an ended build again: it ended before the run was submitted, or by a cancel."""
    if build.status is Status.CANCELLED:
        return True
    submitted = world.submitted_at_sequence.get(run, 0)
    return world.ended_at_sequence.get(build.id, 0) < submitted


def is_forced(world: World, graph: Graph, node: GraphNode) -> bool:
    """Whether the run builds the node although its wheel is there: every node, of a saved order its entries."""
    submitted = world.runs[graph.run].submitted
    if submitted is None or not submitted.options.force or node.first.source_type == "prebuilt":
        return False
    return submitted.options.mode == "bootstrap" or any(parent is None for parent, _ in node.arcs_in)


def is_of_before(world: World, build: Build, run: RunId) -> bool:
    """Whether the build ended before the run was submitted."""
    return build.ended and world.ended_at_sequence.get(build.id, 0) < world.submitted_at_sequence.get(run, 0)


def lost_its_result(world: World, build: Build) -> bool:
    """Whether what a build that ended well had made is gone: a wheel withdrawn or lost, an sdist collected."""
    if build.plan is not None and build.plan.goal == "source":
        return build.status is Status.SUCCEEDED and build.forgotten
    return build.status in GOOD and requires_dist(world, build) is None


def lock_is_broken(world: World, build: Build) -> bool:
    """Whether a wheel of the build's environment was withdrawn, or is gone from the store. Cost: O(1) while none is."""
    files = build.lock.files if world.gone and build.lock is not None else ()
    return any(file.file.sha256 in world.gone for file in files)


def requires_dist(world: World, build: Build) -> tuple[str, ...] | None:
    """The install requirements of a build's result; None while there is no usable result."""
    if build.plan is not None and build.plan.goal == "metadata":
        return build.metadata.requires_dist if build.metadata and build.status is Status.SUCCEEDED else None
    file = world.wheel_of(build)
    return file.accepted.requires_dist if file is not None and file.accepted is not None else None


def build_requirements(world: World, source: Build, result: Build) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What it took to build a usable result: static requirements, and those of the hook.

    A wheel from a cache server tells of them itself, so its source is never prepared. Of a wheel that
    another target's build made, that build knows what its hook asked for.
    """
    file = world.wheel_of(result)
    if file is not None and isinstance(file.accepted, e.WheelTakenOver):
        return file.accepted.build_system, file.accepted.build_backend
    maker = world.build(file.accepted.build) if file is not None and file.accepted is not None else result
    return source.source.requirements if source.source is not None else (), maker.requirements or ()
