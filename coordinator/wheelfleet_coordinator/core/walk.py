"""The walk: what to do next, derived from the world for whatever an event touched.

``note`` takes each event as the world folds it; ``instructions`` then looks again at the nodes and
runs that moved. The walk decides nothing twice and remembers nothing that the log does not hold:
made anew over the same world, it comes to the same instructions.
"""

from collections.abc import Collection
from collections.abc import Set as AbstractSet

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.build import Status
from wheelfleet_shared.core.envelope import Recorded
from wheelfleet_shared.names import (
    BuildId,
    BuildKey,
    FileId,
    GraphId,
    IndexName,
    NodeKey,
    RunId,
    SourceId,
    TargetId,
    graph_id,
    source_id,
)

from .build_walk import build_steps
from .fallback import falls_back
from .graph import Graph, GraphNode
from .instructions import FallBack, Fetch, Finish, Instruction, Resolve, TakeOver
from .node_walk import Step, step
from .places import Place, Places
from .readiness import Readiness
from .run_walk import is_stopped, run_steps
from .stale_pages import stale_pages
from .standing import NodeBuilds, Stand, Standing, node_builds
from .tallies import Tallies
from .world import World


class Walk:
    """The frontier of all active runs. Cost of an event: the nodes it touches, not the graph.

    stale_pages: (index, project) → sequence of the newest event that its pages must show.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self._clear()

    def _clear(self) -> None:
        self.standings: dict[Place, Standing] = {}
        self._readiness: dict[GraphId, Readiness] = {}
        self._open: dict[GraphId, set[NodeKey]] = {}
        # Ordered sets: the same log must lead to the same instructions in the same order in every process.
        self._waiting_on: dict[Place, dict[NodeKey, None]] = {}
        self._asked: set[tuple[RunId, BuildId]] = set()
        self._by_build: Places[BuildId] = Places()
        self._by_key: Places[BuildKey] = Places()
        self._by_source: Places[SourceId] = Places()
        self._registered: dict[Place, NodeBuilds | None] = {}
        self._dirty: dict[tuple[GraphId, NodeKey | None], None] = {}
        self._dirty_builds: dict[BuildId, None] = {}
        self._dirty_runs: dict[RunId, None] = {}
        self._tallies = Tallies()
        self.stale_pages: dict[tuple[IndexName, str], int] = {}

    def start(self) -> None:
        """Forget everything, and look at all that is not finished: after a restart, or on becoming leader."""
        self._clear()
        for run in self.world.active_runs():
            self._touch_run(run)
        for status in (Status.BUILT, Status.ABORTED, Status.LOCKED):
            self._dirty_builds.update(dict.fromkeys(self.world.by_status[status]))
        self.stale_pages = stale_pages(self.world)

    def note(self, recorded: Recorded, touched: AbstractSet[NodeKey | None]) -> None:
        """Remember what one event, already folded into the world, moved."""
        kind, key = recorded.aggregate.kind, recorded.aggregate.id
        match kind:
            case "graph":
                self._note_graph(GraphId(key), touched)
            case "build":
                self._dirty_builds[BuildId(key)] = None
                self._dirty.update(dict.fromkeys(self._by_build.of(BuildId(key))))
                self._dirty_runs.update(dict.fromkeys(self.world.build(BuildId(key)).wanted_by))
                if isinstance(recorded.event, e.BuildUnwanted):
                    self._dirty_runs[recorded.event.run] = None
            case "source":
                self._dirty.update(dict.fromkeys(self._by_source.of(SourceId(key))))
            case "run":
                self._note_run(RunId(key), recorded)
            case "file":
                self._note_file(recorded)
            case "page":
                self._note_page(recorded)
            case "target":
                self._note_target(TargetId(key))
            case _:
                pass

    def touch(self, instruction: Instruction) -> None:
        """Look again at what an instruction was about, after it was carried out without effect."""
        match instruction:
            case Resolve(graph, node) | FallBack(graph, node):
                self._dirty[graph, node] = None
            case Finish(run):
                self._dirty_runs[run] = None
            case TakeOver(build, _, run):
                self._asked.add((run, build))
                self._dirty.update(dict.fromkeys(self._by_build.of(build)))
            case Fetch(source):
                self._dirty.update(dict.fromkeys(self._by_source.of(source)))
            case _:
                self._dirty_builds[instruction.build] = None
                self._dirty.update(dict.fromkeys(self._by_build.of(instruction.build)))

    def instructions(self) -> list[Instruction]:
        """All that can be done now about what was touched; the touched are then forgotten."""
        wanted: dict[Instruction, None] = {}
        while self._dirty or self._dirty_builds:
            builds, self._dirty_builds = self._dirty_builds, {}
            for build in builds:
                wanted.update(dict.fromkeys(build_steps(self.world, self.world.build(build))))
            dirty, self._dirty = self._dirty, {}
            for graph, node in dirty:
                wanted.update(dict.fromkeys(self._look(graph, node)))
        runs, self._dirty_runs = self._dirty_runs, {}
        for run in runs:
            wanted.update(dict.fromkeys(self._steps_of(run)))
        return list(wanted)

    def standing(self, graph: GraphId, node: NodeKey) -> Standing | None:
        """Where a node stands, as last looked at."""
        return self.standings.get((graph, node))

    def waiting_on(self, graph: GraphId, node: NodeKey) -> int:
        """How many nodes wait for this one before all others: a measure of its urgency."""
        return len(self._waiting_on.get((graph, node), ()))

    def places_of(self, build: BuildId) -> Collection[Place]:
        """The nodes of active runs that a build is for."""
        return self._by_build.of(build)

    # --- what events touch

    def _touch_run(self, run: RunId) -> None:
        self._dirty_runs[run] = None
        for graph in self.world.graphs_of(run):
            self._open.setdefault(graph.id, set()).update(graph.nodes)
            self._dirty[graph.id, None] = None
            self._dirty.update(dict.fromkeys((graph.id, node) for node in graph.nodes))

    def _note_graph(self, graph_id: GraphId, touched: AbstractSet[NodeKey | None]) -> None:
        graph = self.world.graphs.get(graph_id)
        run = self.world.runs.get(graph.run) if graph is not None else None
        if graph is None or run is None or run.finished is not None:
            return
        self._dirty_runs[graph.run] = None
        for node in sorted(touched, key=str):
            self._dirty[graph_id, node] = None
            if node is not None:
                self._open.setdefault(graph_id, set()).add(node)
                self._wake(graph_id, node)

    def _note_run(self, run: RunId, recorded: Recorded) -> None:
        event = recorded.event
        if isinstance(event, e.RunSubmitted | e.RunCancelRequested):
            self._touch_run(run)
        elif isinstance(event, e.RunFinished):
            self._forget_run(run)

    def _note_file(self, recorded: Recorded) -> None:
        file = self.world.files.get(FileId(recorded.aggregate.id))
        if file is None or file.accepted is None:
            return
        place = (file.accepted.index, file.accepted.node.name)
        shown = isinstance(recorded.event, e.WheelPublished | e.WheelWithdrawn | e.WheelLost | e.WheelYanked)
        if shown and place in self.world.projects:
            self.stale_pages[place] = recorded.sequence
        if isinstance(recorded.event, e.WheelWithdrawn | e.WheelLost):
            self._look_at_all_again()
        self._dirty.update(dict.fromkeys(self._by_build.of(file.accepted.build)))
        # A wheel serves every target that supports one of its tags, whichever target's build made it.
        self._dirty.update(dict.fromkeys(self._by_key.of(file.accepted.key)))

    def _look_at_all_again(self) -> None:
        """A wheel went away, which is rare: whatever was built with it, or waits to be, may have to move."""
        for readiness in self._readiness.values():
            readiness.forget()
        for run in self.world.active_runs():
            self._touch_run(run)

    def _note_page(self, recorded: Recorded) -> None:
        event = recorded.event
        if not isinstance(event, e.IndexUpdated):
            return
        page = (event.index, event.project)
        if self.stale_pages.get(page, 0) <= event.through:
            self.stale_pages.pop(page, None)
        self._dirty_runs.update(dict.fromkeys(self.world.active_runs()))

    def _note_target(self, target: TargetId) -> None:
        for run in self.world.active_runs():
            submitted = self.world.runs[run].submitted
            if submitted is not None and target in submitted.targets:
                self._touch_run(run)

    def _forget_run(self, run: RunId) -> None:
        for graph in self.world.graphs_of(run):
            self._open.pop(graph.id, None)
            self._readiness.pop(graph.id, None)
            for node in graph.nodes:
                self.standings.pop((graph.id, node), None)
                self._waiting_on.pop((graph.id, node), None)
                self._registered.pop((graph.id, node), None)
            self._by_source.forget(graph.id)
            self._by_key.forget(graph.id)
            # Another run that wants one of these builds may be the one now whose graph decides on it.
            self._dirty.update(dict.fromkeys(self._by_build.forget(graph.id)))

    # --- what to do about them

    def _look(self, graph_id: GraphId, key: NodeKey | None) -> list[Instruction]:
        graph = self.world.graphs[graph_id]
        run = self.world.runs.get(graph.run)
        if run is None or run.submitted is None or run.finished is not None or is_stopped(run, self.counts(run.id)[1]):
            return []
        if graph.target not in self.world.targets:
            return []  # no agent has offered it yet; looked at again when one does
        self._dirty_runs[graph.run] = None
        if key is None:
            if graph.resolved(None, "toplevel"):
                return []
            return [Resolve(graph_id, None, "toplevel", (), run.submitted.requirements)]
        node = graph.nodes[key]
        self._register(graph, node)
        readiness = self._readiness.setdefault(graph_id, Readiness())
        outcome = step(self.world, graph, node, readiness, self.standings, self._asked)
        if run.submitted.options.test_mode and outcome.standing.stand is Stand.FAILED and falls_back(graph, key):
            outcome = Step(Standing(Stand.RESOLVING, build=outcome.standing.build), (FallBack(graph_id, key),))
        self._settle(graph, key, outcome)
        return list(outcome.instructions)

    def _register(self, graph: Graph, node: GraphNode) -> None:
        place = (graph.id, node.key)
        builds = node_builds(self.world, graph, node)
        if place in self._registered and self._registered[place] is builds:
            return
        self._registered[place] = builds
        source = source_id(node.first.source_url, node.first.source_sha256)
        self._by_source.add(source, place)
        if builds is None:
            return
        for build in (builds.source[0], builds.result[0]):
            self._by_build.add(build, place)
        self._by_key.add(builds.result[1].key, place)

    def _settle(self, graph: Graph, key: NodeKey, outcome: Step) -> None:
        place = (graph.id, key)
        before = self.standings.get(place)
        after = outcome.standing
        self._tallies.change(graph.id, before, after)
        self.standings[place] = after
        still_open = self._open.setdefault(graph.id, set())
        if after.settled:
            still_open.discard(key)
        else:
            still_open.add(key)
        if before is not None and before.waits_for is not None and before.waits_for != after.waits_for:
            self._waiting_on.get((graph.id, before.waits_for), {}).pop(key, None)
        if after.waits_for is not None:
            self._waiting_on.setdefault((graph.id, after.waits_for), {})[key] = None
        if before is None or before.stand is not after.stand or before.settled is not after.settled:
            self._wake(graph.id, key)
            self._wake_behind(graph, key)

    def _wake_behind(self, graph: Graph, key: NodeKey) -> None:
        """The same node for the other targets of the run, where it waits for what comes out here."""
        submitted = self.world.runs[graph.run].submitted
        for target in submitted.targets if submitted is not None and len(submitted.targets) > 1 else ():
            place = (graph_id(graph.run, target), key)
            standing = self.standings.get(place)
            if standing is not None and standing.behind == graph.target:
                self._dirty[place] = None

    def _wake(self, graph: GraphId, node: NodeKey) -> None:
        for waiting in self._waiting_on.get((graph, node), ()):
            self._dirty[graph, waiting] = None

    def _steps_of(self, run: RunId) -> list[Instruction]:
        graphs = self.world.graphs_of(run)
        is_open = any(not graph.resolved(None, "toplevel") or self._open.get(graph.id) for graph in graphs)
        return run_steps(self.world, run, self.counts(run), self.stale_pages, is_open=is_open)

    def counts(self, run: RunId) -> tuple[int, int]:
        """Nodes of an active run that are published, and nodes or requirements that failed."""
        return self._tallies.counts(self.world.graphs_of(run))
