"""Which ended runs may be forgotten, and what no other run leads to then."""

from collections.abc import Collection
from typing import NamedTuple

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.build import Build
from wheelfleet_shared.names import BuildId, RunId, SourceId, source_id

from .graph import Graph
from .standing import node_builds
from .world import World


class Reach(NamedTuple):
    """Upstream files and builds that nodes of some runs lead to; mutable, to be gathered graph by graph."""

    sources: set[SourceId]
    builds: set[BuildId]

    def add(self, world: World, graph: Graph) -> None:
        """Take in what one graph leads to. Cost: some digests a node."""
        for node in graph.nodes.values():
            self.sources.add(source_id(node.first.source_url, node.first.source_sha256))
            builds = node_builds(world, graph, node)
            if builds is not None:
                self.builds.update((builds.source[0], builds.result[0]))


class Forgetting(NamedTuple):
    """What is, or is to be, left out of all that is told from now on."""

    runs: frozenset[RunId] = frozenset()
    sources: frozenset[SourceId] = frozenset()
    builds: frozenset[BuildId] = frozenset()


def new_reach() -> Reach:
    """What nothing leads to yet."""
    return Reach(set(), set())


def forgettable(world: World, *, now: float, older_than: float, keep: int) -> tuple[RunId, ...]:
    """Runs that ended more than ``older_than`` seconds ago, oldest first, but the ``keep`` newest ended ones.

    now: seconds since the epoch. A run that has not ended is never among them.
    """
    ended = [run for run, state in world.runs.items() if state.finished is not None]
    ended.sort(key=lambda run: world.submitted_at_sequence.get(run, 0))
    old = ended[: max(0, len(ended) - keep)]
    return tuple(run for run in old if now - world.runs[run].finished_at > older_than)


def unreached(world: World, reach: Reach, runs: Collection[RunId]) -> Forgetting:
    """What can be forgotten with these runs, given what all others lead to. Cost: linear in builds and sources."""
    sources = (key for key, source in world.sources.items() if source.fetched is not None and key not in reach.sources)
    builds = (key for key, build in world.builds.items() if _holds_blobs(build) and key not in reach.builds)
    return Forgetting(frozenset(runs), frozenset(sources), frozenset(builds))


def _holds_blobs(build: Build) -> bool:
    """Whether there is anything to forget: a build under way holds on to all it has."""
    return build.ended and not build.forgotten


def forget_run(world: World, run: RunId) -> tuple[e.Event, ...]:
    """Forget a run, once; never one that has not ended."""
    state = world.runs.get(run)
    return (e.RunForgotten(),) if state is not None and state.finished is not None else ()


def forget_source(world: World, source: SourceId, active: Reach) -> tuple[e.Event, ...]:
    """Forget an upstream file, unless a run that began meanwhile leads to it. active: what active runs lead to."""
    fetched = world.source(source).fetched is not None
    return (e.SourceForgotten(),) if fetched and source not in active.sources else ()


def forget_build(world: World, build: BuildId, active: Reach) -> tuple[e.Event, ...]:
    """Forget what an ended build left behind but its wheel, unless a run that began meanwhile leads to it."""
    return (e.BuildForgotten(),) if _holds_blobs(world.build(build)) and build not in active.builds else ()
