"""What became of a node in a run, derived from the world."""

from typing import Literal

import msgspec

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.build import GOOD, Build, Status
from wheelfleet_shared.core.file import WheelFile
from wheelfleet_shared.core.run import SourceFile
from wheelfleet_shared.names import BuildId, NodeKey, source_id

from .decisions import holds
from .graph import Graph, GraphNode
from .standing import ended_badly, node_builds
from .world import World

ResultStatus = Literal["built", "taken over", "sdist only", "failed", "unfinished"]


class NodeResult(msgspec.Struct, frozen=True):
    """A node's end, or that it has none yet.

    upstream: the sdist as fetched. sdist: the patched one, or a plugin's. wheel: published. rebuilt: what building
    anew made in this run; reproduced: with the payload that is published. failure and chain: only
    where it failed; chain from what failed first to this node. seconds: of the attempt that
    succeeded in this run, 0 for any other. build: the one that ended it, or is to. log: of its last
    attempt, with the fence under which it is stored.
    """

    node: NodeKey
    status: ResultStatus
    source_url: str
    upstream: e.FileRef | None = None
    sdist: e.FileRef | None = None
    wheel: WheelFile | None = None
    rebuilt: e.FileRef | None = None
    reproduced: bool = False
    seconds: float = 0.0
    failure: e.Failure | None = None
    chain: tuple[str, ...] = ()
    build: BuildId | None = None
    log: tuple[int, e.FileRef] | None = None


def node_results(world: World, graph: Graph) -> list[NodeResult]:
    """What became of each node of a graph, by name and version. Cost: linear in the nodes."""
    return [node_result(world, graph, graph.nodes[key]) for key in sorted(graph.nodes)]


def node_result(world: World, graph: Graph, node: GraphNode) -> NodeResult:
    """What became of one node. Cost: some digests."""
    edge = node.first
    source = world.source(source_id(edge.source_url, edge.source_sha256))
    fetched = source.fetched if edge.source_type != "prebuilt" else None
    upstream = fetched.file if fetched is not None else None
    unfinished = NodeResult(node.key, "unfinished", edge.source_url, upstream)
    builds = node_builds(world, graph, node)
    if builds is None:
        return _fetch_failed(unfinished, source)
    prepared = world.build(builds.source[0])
    result = world.build(builds.result[0])
    sdist = _sdist(prepared, result) if edge.source_type != "prebuilt" else None
    log = (result.log_fence, result.log) if result.log is not None else None
    known = msgspec.structs.replace(unfinished, sdist=sdist, build=result.id, log=log)
    if result.status in GOOD:
        return _succeeded(world, graph, known, result)
    bad = next((build for build in (result, prepared) if ended_badly(build)), None)
    return _failed(known, bad) if bad is not None else _fetch_failed(known, source)


def _sdist(prepared: Build, result: Build) -> e.FileRef | None:
    """The sdist that a plugin built with the wheel, else the patched one that the wheel was built from."""
    if result.wheel is not None and result.wheel.sdist is not None and not result.forgotten:
        return result.wheel.sdist
    there = prepared.status is Status.SUCCEEDED and not prepared.forgotten
    return prepared.source.sdist if there and prepared.source is not None else None


def _fetch_failed(known: NodeResult, source: SourceFile) -> NodeResult:
    if source.failed is None:
        return known
    failure = e.Failure("source", "fetch", source.failed.reason, hint=source.failed.hint)
    return msgspec.structs.replace(known, status="failed", failure=failure, build=None)


def _succeeded(world: World, graph: Graph, known: NodeResult, build: Build) -> NodeResult:
    ended = world.ended_at_sequence.get(build.id, 0)
    here = ended > world.submitted_at_sequence.get(graph.run, 0)
    if build.plan is not None and build.plan.goal == "metadata":
        seconds = build.metadata.resources.wall if build.metadata is not None and here else 0.0
        return msgspec.structs.replace(known, status="sdist only", seconds=seconds)
    wheel = world.wheel_of(build)
    if wheel is None:
        return known
    if not here or build.status is Status.SATISFIED:
        return msgspec.structs.replace(known, status="taken over", wheel=wheel)
    seconds = build.wheel.resources.wall if build.wheel is not None else 0.0
    built = msgspec.structs.replace(known, status="built", wheel=wheel, seconds=seconds)
    if build.wheel is None or build.generation < 2:
        return built
    return msgspec.structs.replace(built, rebuilt=build.wheel.wheel, reproduced=holds(wheel, build))


def _failed(known: NodeResult, build: Build) -> NodeResult:
    failure = build.failure
    if build.status is Status.CANCELLED:
        return known
    if build.status is Status.DEPENDENCY_FAILED:
        failure = e.Failure("policy", "dependency", "something that it needs cannot be had")
    elif build.status is Status.QUARANTINED:
        attempts = tuple(f"{agent}: {kind} {detail}".rstrip() for agent, kind, detail in build.aborts)
        line = attempts[-1] if attempts else "no attempt could end"
        failure = e.Failure("policy", "attempts", line, tail=attempts)
    return msgspec.structs.replace(known, status="failed", failure=failure, chain=build.chain, build=build.id)
