"""Locks: the environment of a build, from the published wheels of one graph."""

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.build import Build
from wheelfleet_shared.core.envelope import Aggregate
from wheelfleet_shared.names import NodeKey

from ..core import decisions
from ..core.alternatives import counting_closure
from ..core.graph import Graph, Visit
from ..core.instructions import Lock
from ..core.locks import Candidate, lock_environment
from ..core.node_result import node_result
from ..core.readiness import is_broken
from ..core.standing import node_builds
from ..core.work import source_build_of
from ..core.world import World
from .committer import Committer


async def lock(instruction: Lock, committer: Committer) -> tuple[e.Event, ...]:
    """Lock the environment and queue the build, or say why no environment can be; what was appended."""

    def decide(now: World) -> tuple[e.Event, ...]:
        outcome = locked(instruction, now)
        return decisions.lock(now, instruction.build, outcome) if outcome is not None else ()

    return await committer.commit(Aggregate("build", instruction.build), decide)


def locked(instruction: Lock, world: World) -> e.EnvironmentLocked | e.EnvironmentUnsolvable | None:
    """The lock as the world stands; None where the build has moved on, or not all it can need is there.

    The instruction may be older than what the build's hook asked for: that nothing is missing is
    looked at again here.
    """
    graph = world.graphs[instruction.graph]
    build = world.build(instruction.build)
    target = world.targets.get(graph.target)
    if build.plan is None or target is None or target.definition is None:
        return None
    prepared = world.build(source_build_of(build.plan)).source
    if prepared is None or not _all_known(graph, build, instruction.node):
        return None
    visits = counting_closure(graph, graph.build_arcs(instruction.node), lambda visit: _failed(world, graph, visit))
    keys = {visit.node for visit in visits}
    candidates = [found for key in sorted(keys) if (found := _candidate(world, graph, key)) is not None]
    if len(candidates) < len(keys) or any(graph.install_arcs(visit) is None for visit in visits):
        return None
    return lock_environment(prepared.requirements, build.requirements, candidates, target.definition.marker_environment)


def _all_known(graph: Graph, build: Build, node: NodeKey) -> bool:
    """Whether everything that the build is known to require has its version in this graph."""
    hook = build.requirements is None or graph.resolved(node, "hook")
    return hook and graph.resolved(node, "build-system")


def _failed(world: World, graph: Graph, visit: Visit) -> bool:
    return is_broken(graph, visit) or node_result(world, graph, graph.nodes[visit.node]).status == "failed"


def _candidate(world: World, graph: Graph, key: NodeKey) -> Candidate | None:
    builds = node_builds(world, graph, graph.nodes[key])
    file = world.wheel_of(world.build(builds.result[0])) if builds is not None else None
    if file is None or file.accepted is None:
        return None
    accepted = file.accepted
    return Candidate(key.name, key.version, accepted.file, accepted.requires_dist)
