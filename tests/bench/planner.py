"""What a coordinator decides over a whole run, with everything outside of it answered at once.

The walk, the resolving of each stage with its pages read, the plans, locks and queues, and the fold of every event
from its bytes are those of production; index, agents and stores are stand-ins that only state their events.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterator

from cluster import TARGET, definition
from universe import Universe
from wheelfleet_coordinator.app.locking import locked
from wheelfleet_coordinator.core import decisions
from wheelfleet_coordinator.core.candidates import ProjectListing, read_page
from wheelfleet_coordinator.core.constraints import Constraints
from wheelfleet_coordinator.core.instructions import Fetch, Finish, Instruction, Lock, Plan, Queue, Resolve, Verify
from wheelfleet_coordinator.core.resolve_stage import RunRules, holding, projects_of, resolve_stage, static_arcs
from wheelfleet_coordinator.core.walk import Walk
from wheelfleet_coordinator.core.world import World
from wheelfleet_shared.core import codec
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.build import Build, Status
from wheelfleet_shared.core.envelope import Aggregate, Envelope
from wheelfleet_shared.names import Actor, IndexName, RunId, Sha256, page_id

RUN = RunId("r1")
_COORDINATOR = Actor("coordinator-main")
_AGENT = Actor("agent-a1")
_OPERATOR = Actor("operator-ann")
_LISTINGS_KEPT = 512


class Planner:
    """One run from its submission to its end. ``decided``: instructions carried out."""

    def __init__(self, universe: Universe) -> None:
        self.world = World()
        self.decided = 0
        self._walk = Walk(self.world)
        self._universe = universe
        self._listings: OrderedDict[str, ProjectListing] = OrderedDict()
        constraints = Constraints.merge([], definition().marker_environment)
        self._rules = RunRules(definition(), constraints, None, None, {})

    def run(self, requirement: str, chunk: int) -> None:
        """Plan until nothing is left to do; what is new is looked at after each ``chunk`` of events."""
        self._say(Aggregate("target", TARGET), _AGENT, e.TargetDefined(definition()))
        submitted = e.RunSubmitted(RUN, IndexName(), (TARGET,), (requirement,))
        self._say(Aggregate("run", RUN), _OPERATOR, submitted)
        due: dict[Instruction, None] = dict.fromkeys(self._walk.instructions())
        seen = self.world.through
        while due:
            instruction = next(iter(due))
            del due[instruction]
            self._carry_out(instruction)
            self.decided += 1
            if self.world.through >= seen + chunk or not due:
                seen = self.world.through
                due.update(dict.fromkeys(self._walk.instructions()))

    def _say(self, aggregate: Aggregate, actor: Actor, *events: e.Event) -> None:
        """Through bytes, as over the log."""
        for event in events:
            sequence = self.world.through + 1
            data = codec.encode(Envelope(f"{sequence:032x}", 1.7e9 + sequence, event))
            recorded = codec.recorded(sequence, codec.subject_of(aggregate, actor), data)
            assert recorded is not None
            self._walk.note(recorded, self.world.apply(recorded))

    def _carry_out(self, instruction: Instruction) -> None:
        match instruction:
            case Resolve():
                self._resolve(instruction)
            case Fetch(source, url, name, _):
                file = e.FileRef(name, Sha256(instruction.promised), 1000)
                fetched = decisions.fetched(self.world, source, e.SourceFetched(url, file, file.sha256))
                self._say(Aggregate("source", source), _COORDINATOR, *fetched)
            case Plan(build):
                self._say(Aggregate("build", build), _COORDINATOR, *decisions.plan(self.world, instruction))
                self._build(self.world.build(build))
            case Lock(build):
                outcome = locked(instruction, self.world)
                assert outcome is not None
                self._say(Aggregate("build", build), _COORDINATOR, *decisions.lock(self.world, build, outcome))
                self._build(self.world.build(build))
            case Queue(build):
                self._say(Aggregate("build", build), _COORDINATOR, *decisions.queue(self.world, build))
                self._build(self.world.build(build))
            case Verify(build):
                self._publish(self.world.build(build))
            case Finish():
                self._say(Aggregate("run", RUN), _COORDINATOR, *decisions.finish(self.world, instruction))
            case _:
                raise AssertionError(instruction)

    def _resolve(self, instruction: Resolve) -> None:
        graph = self.world.graphs[instruction.graph]
        requirements = holding(instruction, self._rules.target)
        projects = projects_of(requirements, static_arcs(graph, instruction))
        listings = {project: self._listing(project) for project in projects}
        found = resolve_stage(graph, instruction, requirements, listings, self._rules)
        events = decisions.resolved(self.world, graph.id, found.events, found.failures)
        self._say(Aggregate("graph", graph.id), _COORDINATOR, *events)

    def _listing(self, project: str) -> ProjectListing:
        """Pinned at the first look, and kept parsed as long as production keeps it."""
        listing = self._listings.get(project)
        if listing is not None:
            self._listings.move_to_end(project)
            return listing
        page = self._universe.page(project)
        assert page is not None
        event = e.ProjectListed(project, _sha(page.content), page.content_type, page.url)
        self._say(Aggregate("run", RUN), _COORDINATOR, *decisions.listed(self.world, RUN, event))
        listing = self._listings[project] = read_page(page.content, page.content_type, page.url, project)
        if len(self._listings) > _LISTINGS_KEPT:
            self._listings.popitem(last=False)
        return listing

    def _build(self, build: Build) -> None:
        """What an agent would say, at once."""
        if build.plan is None or build.status is not Status.QUEUED:
            return
        aggregate, node = Aggregate("build", build.id), build.plan.node
        release = self._universe.release(node.name, node.version)
        self._say(aggregate, _AGENT, e.BuildClaimed(build.attempts + 1, "i1", TARGET))
        fence = self.world.through
        if build.plan.goal == "source":
            sdist = build.plan.source
            self._say(aggregate, _AGENT, e.SourcePrepared(fence, sdist, 1_600_000_000, release.static, "backend"))
            return
        name = f"{node.name.replace('-', '_')}-{node.version}-0-py3-none-any.whl"
        wheel = e.FileRef(name, _sha(name.encode()), 1000)
        self._say(aggregate, _AGENT, e.WheelBuilt(fence, wheel, wheel.sha256, release.hook))

    def _publish(self, build: Build) -> None:
        if build.plan is not None and build.wheel is not None:
            for aggregate, event in self._file_events(build, build.plan, build.wheel.wheel):
                self._say(aggregate, _COORDINATOR, event)
        ended = decisions.conclude(self.world, build.id, build.fence, e.BuildSucceeded())
        self._say(Aggregate("build", build.id), _COORDINATOR, *ended)

    def _file_events(self, build: Build, plan: e.BuildPlanned, wheel: e.FileRef) -> Iterator[tuple[Aggregate, e.Event]]:
        """The wheel accepted, published, and shown on its page."""
        file = self.world.file(plan.index, wheel.file_name)
        requires = self._universe.release(plan.node.name, plan.node.version).install
        accepted = e.WheelAccepted(plan.index, build.id, plan.key, plan.node, wheel, wheel.sha256, requires)
        for event in decisions.accept(file, accepted):
            yield Aggregate("file", file.id), event
        for published in decisions.publish(self.world, file.id):
            yield Aggregate("file", file.id), published
        shown = e.IndexUpdated(plan.index, plan.node.name, wheel.sha256, wheel.sha256, 1, self.world.through)
        yield Aggregate("page", page_id(plan.index, plan.node.name)), shown


def _sha(content: bytes) -> Sha256:
    return Sha256(hashlib.sha256(content).hexdigest())
