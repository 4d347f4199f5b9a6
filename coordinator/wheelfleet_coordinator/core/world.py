"""The whole log, folded: every aggregate, and the look-ups that decisions need.

A mutable projection for speed; ``apply`` is its only way to change, and two worlds given the same
events are equal. It can be thrown away and made again at any time.
"""

from collections.abc import Set as AbstractSet
from typing import Any, Final

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.build import ENDED, Build, Status, evolve
from wheelfleet_shared.core.envelope import Aggregate, Recorded
from wheelfleet_shared.core.file import FileStatus, WheelFile, evolve_file
from wheelfleet_shared.core.run import (
    Agent,
    Page,
    Run,
    SourceFile,
    Target,
    evolve_agent,
    evolve_page,
    evolve_run,
    evolve_source,
    evolve_target,
    new_run,
)
from wheelfleet_shared.names import (
    BuildId,
    BuildKey,
    FileId,
    GraphId,
    IndexName,
    NodeKey,
    RunId,
    Sha256,
    SourceId,
    TargetId,
    file_id,
    graph_id,
)

from .doubts import Doubts
from .durations import Durations
from .graph import Graph

_NOTHING: Final[frozenset[NodeKey | None]] = frozenset()
_QUEUED: Final = Status.QUEUED
_SUCCEEDED: Final = Status.SUCCEEDED


class World:
    """``through``: sequence of the last event folded. Absent aggregates come out empty, never as errors.

    gone: contents of wheels that were withdrawn or lost, and not published again.
    """

    def __init__(self) -> None:
        self.through = 0
        self.at = 0.0
        self.lasts: dict[Aggregate, int] = {}
        self.builds: dict[BuildId, Build] = {}
        self.files: dict[FileId, WheelFile] = {}
        self.revisions: dict[tuple[IndexName, str], int] = {}
        self.gone: set[Sha256] = set()
        self.runs: dict[RunId, Run] = {}
        self.submitted_at_sequence: dict[RunId, int] = {}
        self.untimed: dict[RunId, int] = {}
        self.ended_at_sequence: dict[BuildId, int] = {}
        self.sources: dict[SourceId, SourceFile] = {}
        self.stored: dict[Sha256, e.FileRef] = {}
        self._stored_as: dict[Sha256, set[SourceId]] = {}
        self.agents: dict[str, Agent] = {}
        self.doubts = Doubts()
        self.durations = Durations()
        self.targets: dict[TargetId, Target] = {}
        self.pages: dict[str, Page] = {}
        self.graphs: dict[GraphId, Graph] = {}
        self.by_status: dict[Status, dict[BuildId, None]] = {status: {} for status in Status}
        self.published: dict[BuildKey, dict[FileId, None]] = {}
        self.projects: dict[tuple[IndexName, str], dict[FileId, None]] = {}
        self.queued_at_sequence: dict[BuildId, int] = {}
        self.queued_at: dict[BuildId, float] = {}
        self.ignored = 0

    def apply(self, recorded: Recorded) -> AbstractSet[NodeKey | None]:
        """Fold the next event of the log; what is unknown or illegal is counted.

        Returns the nodes of the event's graph that it touched (None: the run's own requirements);
        empty for events of other aggregates. Cost: some 2 µs, so the most frequent kinds come first.
        """
        aggregate = recorded.aggregate
        self.through = self.lasts[aggregate] = recorded.sequence
        self.at = recorded.envelope.at
        kind = aggregate.kind
        key: Any = aggregate.id  # the id that its kind says, without a call to name it
        if kind == "build":
            self._apply_build(key, recorded)
        elif kind == "graph":
            return self._apply_graph(key, recorded)
        elif kind == "file":
            self._apply_file(key, recorded)
        elif kind == "run":
            self._apply_run(key, recorded)
        elif kind == "source":
            self._apply_source(key, recorded)
        else:
            self._apply_small(kind, key, recorded)
        return _NOTHING

    def expected(self, aggregate: Aggregate) -> int:
        """What a compare-and-append on this aggregate must expect."""
        return self.lasts.get(aggregate, 0)

    def build(self, build: BuildId) -> Build:
        """The build, absent if never planned."""
        return self.builds.get(build) or Build(build)

    def source(self, source: SourceId) -> SourceFile:
        """The source file, empty if never fetched."""
        return self.sources.get(source) or SourceFile(source)

    def agent(self, agent: str) -> Agent:
        """The agent, empty if it never joined."""
        return self.agents.get(agent) or Agent(agent)

    def file(self, index: IndexName, file_name: str) -> WheelFile:
        """The current revision of a file name of an index, absent if nothing was accepted for it."""
        revision = self.revisions.get((index, file_name), 0)
        found = file_id(index, file_name, revision)
        return self.files.get(found) or WheelFile(found)

    def wheel_of(self, build: Build) -> WheelFile | None:
        """The published wheel that a build made or was satisfied by."""
        if build.plan is None:
            return None
        name = None
        if build.status is Status.SUCCEEDED and build.wheel is not None:
            name = build.wheel.wheel.file_name
        elif build.status is Status.SATISFIED and build.satisfied_by is not None:
            name = build.satisfied_by.file.file_name
        if name is None:
            return None
        file = self.file(build.plan.index, name)
        return file if file.status is FileStatus.PUBLISHED else None

    def graphs_of(self, run: RunId) -> list[Graph]:
        """A run's graphs, one a target, in the order of its targets."""
        submitted = self.runs[run].submitted if run in self.runs else None
        return [self.graphs[graph_id(run, target)] for target in submitted.targets] if submitted else []

    def active_runs(self) -> list[RunId]:
        """Runs that are submitted and not finished, oldest first."""
        return [run for run, state in self.runs.items() if state.status in {"active", "cancelling"}]

    def _apply_build(self, key: BuildId, recorded: Recorded) -> None:
        before = self.builds.get(key) or Build(key)
        after = self.builds[key] = evolve(before, recorded)
        left, status = before.status, after.status
        if status is left:
            self.ignored += after.ignored - before.ignored
            return
        self.by_status[left].pop(key, None)
        if left is _QUEUED:
            del self.queued_at[key]
        self.by_status[status][key] = None
        if status is _QUEUED:
            self.queued_at_sequence[key] = recorded.sequence
            self.queued_at[key] = recorded.envelope.at
        elif status in ENDED:
            self.ended_at_sequence[key] = recorded.sequence
            if status is _SUCCEEDED:
                self.doubts.note_success(after)
                self.durations.note(after)

    def _apply_file(self, key: FileId, recorded: Recorded) -> None:
        before = self.files.get(key) or WheelFile(key)
        after = evolve_file(before, recorded)
        self.files[key] = after
        accepted = after.accepted
        if accepted is None or after.status is before.status:
            self.ignored += after.ignored - before.ignored
            return
        project = (accepted.index, accepted.node.name)
        if after.status is FileStatus.PUBLISHED:
            self.published.setdefault(accepted.key, {})[key] = None
            self.projects.setdefault(project, {})[key] = None
            self.gone.discard(accepted.file.sha256)
        elif after.status is FileStatus.GONE:
            self.published.get(accepted.key, {}).pop(key, None)
            self.projects.get(project, {}).pop(key, None)
            self.gone.add(accepted.file.sha256)
            name = (accepted.index, accepted.file.file_name)
            self.revisions[name] = self.revisions.get(name, 0) + 1

    def _apply_run(self, key: RunId, recorded: Recorded) -> None:
        before = self.runs.get(key) or new_run(key)
        after = evolve_run(before, recorded)
        self.runs[key] = after
        self.ignored += after.ignored - before.ignored
        event = recorded.envelope.event
        if isinstance(event, e.ProjectListed) and event.page and not event.upload_times and not after.forgotten:
            self.untimed.setdefault(key, recorded.sequence)
        if before.submitted is None and after.submitted is not None:
            self.submitted_at_sequence[key] = recorded.sequence
            for target in after.submitted.targets:
                graph = graph_id(key, target)
                self.graphs.setdefault(graph, Graph(graph, key, target))
        if before.submitted is not None and after.forgotten:
            self._forget_run(key, before.submitted)

    def _forget_run(self, run: RunId, submitted: e.RunSubmitted) -> None:
        self.submitted_at_sequence.pop(run, None)
        self.untimed.pop(run, None)
        for target in submitted.targets:
            self.graphs.pop(graph_id(run, target), None)

    def _apply_graph(self, key: GraphId, recorded: Recorded) -> AbstractSet[NodeKey | None]:
        event = recorded.envelope.event
        graph = self.graphs.get(key)
        if graph is None and isinstance(event, e.RequirementsResolved | e.RequirementUnresolvable | e.PrebuiltChosen):
            graph = self._new_graph(key, event.run, event.target)
        if graph is None:
            self.ignored += 1
            return _NOTHING
        before = graph.ignored
        touched = graph.apply(recorded)
        self.ignored += graph.ignored - before
        return touched

    def _new_graph(self, key: GraphId, run: RunId, target: TargetId) -> Graph | None:
        """A graph that is told of before its run; what comes late to a run that was forgotten is not kept."""
        known = self.runs.get(run)
        if known is not None and known.forgotten:
            return None
        graph = self.graphs[key] = Graph(key, run, target)
        return graph

    def _apply_source(self, key: SourceId, recorded: Recorded) -> None:
        known = self.sources.get(key) or SourceFile(key)
        before = known.fetched
        after = self.sources[key] = evolve_source(known, recorded)
        if after.fetched is before:
            return
        if after.fetched is not None:
            file = after.fetched.file
            self.stored[file.sha256] = file
            self._stored_as.setdefault(file.sha256, set()).add(key)
        elif before is not None:
            others = self._stored_as[before.file.sha256]
            others.discard(key)
            if not others:
                self.stored.pop(before.file.sha256, None)

    def _apply_small(self, kind: str, key: str, recorded: Recorded) -> None:
        match kind:
            case "agent":
                before = self.agent(key)
                after = self.agents[key] = evolve_agent(before, recorded)
                if before.quarantined and not after.quarantined:
                    self.doubts.clear(key)
            case "target":
                target = TargetId(key)
                self.targets[target] = evolve_target(self.targets.get(target) or Target(target), recorded)
            case "page":
                self.pages[key] = evolve_page(self.pages.get(key) or Page(key), recorded)
            case _:
                self.ignored += 1
