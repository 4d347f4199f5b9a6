"""What the coordinator states: from the folded world to the events to append, or none.

Each function looks at one aggregate again at the moment of the append, so an instruction that came
too late decides nothing. Rules across aggregates are kept here; the folds judge each alone.
"""

from collections.abc import Callable, Iterable

import msgspec

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.build import ABORT_BUDGET, GOOD, Build, Status
from wheelfleet_shared.core.envelope import Aggregate
from wheelfleet_shared.core.file import FileStatus, WheelFile
from wheelfleet_shared.names import BuildId, BuildKey, FileId, GraphId, RunId, SourceId

from .graph import stage_id
from .instructions import Finish, GiveUp, Plan
from .standing import ended_badly, is_of_before, lock_is_broken, lost_its_result, may_reopen
from .world import World

Decide = Callable[[World], tuple[e.Event, ...]]


def build_aggregate(build: BuildId) -> Aggregate:
    """The aggregate of a build."""
    return Aggregate("build", build)


def plan(world: World, instruction: Plan) -> tuple[e.Event, ...]:
    """Name the build, or open it again, or only want it."""
    build = world.build(instruction.build)
    wanted = e.BuildWanted(instruction.run)
    if not is_active(world, instruction.run):
        return ()
    if build.status is Status.ABSENT:
        # A source is fetched before it is planned, and needs no environment.
        return (instruction.plan, wanted, *((e.BuildQueued(),) if instruction.plan.goal == "source" else ()))
    if lost_its_result(world, build):
        return (e.BuildReopened("lost", instruction.run), wanted)
    if _is_asked_again(world, build, instruction):
        return (e.BuildReopened("forced", instruction.run), wanted)
    if ended_badly(build):
        again = may_reopen(world, build, instruction.run)
        return (e.BuildReopened("wanted", instruction.run), wanted) if again else ()
    return () if instruction.run in build.wanted_by else (wanted,)


def _is_asked_again(world: World, build: Build, instruction: Plan) -> bool:
    """Whether a run that builds what is there already comes first to this build; ``node_walk`` knows which nodes."""
    submitted = world.runs[instruction.run].submitted
    forced = submitted is not None and submitted.options.force
    return forced and build.status in GOOD and is_of_before(world, build, instruction.run)


def is_active(world: World, run: RunId) -> bool:
    """Whether the run is submitted, and neither finished nor being cancelled."""
    return run in world.runs and world.runs[run].status == "active"


def queue(world: World, build_id: BuildId) -> tuple[e.Event, ...]:
    """Queue a build that is locked, or that needs no environment."""
    build = world.build(build_id)
    needs_none = build.plan is not None and build.plan.goal == "source"
    locked = build.status is Status.LOCKED and not lock_is_broken(world, build)
    if locked or (build.status is Status.PLANNED and needs_none):
        return (e.BuildQueued(),)
    return ()


def retry(world: World, build_id: BuildId) -> tuple[e.Event, ...]:
    """Queue an aborted build again, or set it aside with the evidence once its budget is spent."""
    build = world.build(build_id)
    if build.status is not Status.ABORTED or lock_is_broken(world, build):
        return ()
    if len(build.aborts) >= ABORT_BUDGET:
        return (e.BuildQuarantined(tuple(f"{agent}: {kind} {detail}".strip() for agent, kind, detail in build.aborts)),)
    return (e.BuildQueued(),)


def lock(
    world: World, build_id: BuildId, outcome: e.EnvironmentLocked | e.EnvironmentUnsolvable
) -> tuple[e.Event, ...]:
    """Fix the environment and queue the build, or end it where no environment can be."""
    build = world.build(build_id)
    if build.status not in {Status.PLANNED, Status.BLOCKED} and not _waits_for_a_lock(world, build):
        return ()
    if isinstance(outcome, e.EnvironmentUnsolvable):
        return (outcome,)
    generation = build.lock.generation + 1 if build.lock else 1
    return (msgspec.structs.replace(outcome, generation=generation), e.BuildQueued())


def _waits_for_a_lock(world: World, build: Build) -> bool:
    """Whether nobody has the build, and its environment has lost a file since it was locked."""
    return build.status in {Status.LOCKED, Status.QUEUED, Status.ABORTED} and lock_is_broken(world, build)


def give_up(world: World, instruction: GiveUp) -> tuple[e.Event, ...]:
    """End a build that cannot start, or leave it to the other runs that want it."""
    build = world.build(instruction.build)
    waiting = build.status in {Status.PLANNED, Status.BLOCKED, Status.LOCKED}
    if not waiting and not _waits_for_a_lock(world, build):
        return ()
    if any(run != instruction.run and is_active(world, run) for run in build.wanted_by):
        return (e.BuildUnwanted(instruction.run),) if instruction.run in build.wanted_by else ()
    if instruction.reason == "dependency":
        return (e.DependencyFailed(instruction.chain),)
    line = "build cycle: " + " → ".join(instruction.chain)
    hint = "mark one of them pre_built, or take over a wheel of one with --cache-wheel-server-url"
    return (e.BuildFailed(e.Failure("policy", "order", line, hint=hint)),)


def abandon(world: World, build_id: BuildId, run: RunId) -> tuple[e.Event, ...]:
    """A run wants a build no more; the last one to leave cancels it, unless only the verdict is missing.

    What is built is verified and published all the same: the work is done, and a file name that was
    given to it must not be left half-way.
    """
    build = world.build(build_id)
    if run not in build.wanted_by:
        return ()
    last = build.wanted_by == (run,) and not build.ended and build.status is not Status.BUILT
    return (e.BuildUnwanted(run), e.BuildCancelled()) if last else (e.BuildUnwanted(run),)


def expire(world: World, build_id: BuildId, fence: int, reason: str) -> tuple[e.Event, ...]:
    """End a lease, if it is still the current one."""
    build = world.build(build_id)
    if build.status is not Status.CLAIMED or build.fence != fence:
        return ()
    return (e.LeaseExpired(fence, build.owner, reason),)


def supersede(world: World, build_id: BuildId, fence: int, agent: str, wheel: e.FileRef) -> tuple[e.Event, ...]:
    """Record, once, that an attempt had a wheel when the build was no longer its own; the build stays where it is."""
    build = world.build(build_id)
    if (fence, agent) not in build.claims or fence == build.fence or fence in build.superseded or build.plan is None:
        return ()
    accepted = world.file(build.plan.index, wheel.file_name).accepted
    return (e.AttemptSuperseded(fence, wheel, equal=accepted is not None and accepted.file == wheel),)


def resolved(
    world: World,
    graph_id: GraphId,
    events: tuple[e.RequirementsResolved, ...],
    failures: tuple[e.RequirementUnresolvable, ...],
) -> tuple[e.Event, ...]:
    """Record the versions of one stage, unless that was done; the unresolvable ones go in before."""
    graph, last = world.graphs.get(graph_id), events[-1]
    if graph is None or stage_id(last.node, last.stage, last.extras) in graph.stages:
        return ()
    return (*failures, *events)


def listed(world: World, run: RunId, event: e.ProjectListed) -> tuple[e.Event, ...]:
    """Pin a page of the upstream index for a run, once."""
    return () if event.project in world.runs[run].listed else (event,)


def fetched(world: World, source: SourceId, event: e.SourceFetched | e.FetchFailed) -> tuple[e.Event, ...]:
    """Record that a source is in our store, or cannot be had."""
    return () if world.source(source).fetched is not None else (event,)


def accept(file: WheelFile, event: e.Accepted) -> tuple[e.Event, ...]:
    """The commit point: take the file name, or tell that it is taken with other bytes; () of one that is gone."""
    if file.status is FileStatus.ABSENT:
        return (event,)
    if file.status is FileStatus.GONE:
        return ()
    held = file.accepted
    if held is not None and (held.file.sha256, held.key) == (event.file.sha256, event.key):
        return ()
    payload = event.payload if isinstance(event, e.WheelAccepted) else ""
    return (e.RebuildDiffered(event.build, event.file, reproduced=_installs_the_same(file, event.key, payload)),)


def _installs_the_same(file: WheelFile, key: BuildKey, payload: str) -> bool:
    """Whether a published wheel was built from the same inputs, and has the same payload."""
    held = file.accepted if file.status is FileStatus.PUBLISHED else None
    return isinstance(held, e.WheelAccepted) and bool(payload) and (held.key, held.payload) == (key, payload)


def replace(world: World, build_id: BuildId, file: WheelFile) -> tuple[e.Event, ...]:
    """Withdraw a published wheel whose name a build takes with other bytes, if a run that wants the build says so.

    The run must be newer than those that had the wheel made: else two of them would replace each other's for ever.
    """
    build, held = world.build(build_id), file.accepted
    if build.status is not Status.BUILT or file.status is not FileStatus.PUBLISHED or held is None:
        return ()
    asked = _newest(world, (run for run in build.wanted_by if _replaces(world, run)))
    if asked <= _newest(world, world.build(held.build).wanted_by) or holds(file, build):
        return ()
    return (e.WheelWithdrawn(f"replaced by build {build_id}"),)


def _replaces(world: World, run: RunId) -> bool:
    submitted = world.runs[run].submitted if run in world.runs else None
    return submitted is not None and submitted.options.replace


def _newest(world: World, runs: Iterable[RunId]) -> int:
    """Where in the log the newest of these runs was submitted; 0 for none that is remembered."""
    return max((world.submitted_at_sequence.get(run, 0) for run in runs), default=0)


def holds(file: WheelFile, build: Build) -> bool:
    """Whether the file name means what this build made: its very bytes, or published ones that install the same."""
    accepted, built = file.accepted, build.wheel
    if accepted is None or built is None:
        return False
    same = accepted.file.sha256 == built.wheel.sha256
    return same or (build.plan is not None and _installs_the_same(file, build.plan.key, built.payload))


def is_rebuilt(file: WheelFile, build: Build) -> bool:
    """Whether a build that was run again, from the same inputs, made other bytes than those that are published.

    Run again: for a run that asked for it, or since an attempt ended after its wheel had been accepted.
    """
    held = file.accepted if file.status is FileStatus.PUBLISHED else None
    if held is None or build.plan is None or (build.generation < 2 and held.build != build.id):
        return False
    return held.key == build.plan.key and not holds(file, build)


def is_left_half_way(file: WheelFile, build: Build) -> bool:
    """Whether the name of a build's wheel was given to other bytes, and these were not published."""
    held, built = file.accepted, build.wheel
    if file.status is not FileStatus.ACCEPTED or held is None or built is None:
        return False
    return held.file.sha256 != built.wheel.sha256


def publish(world: World, file_id: FileId) -> tuple[e.Event, ...]:
    """Blob and metadata are in place."""
    file = world.files.get(file_id)
    return (e.WheelPublished(),) if file is not None and file.status is FileStatus.ACCEPTED else ()


def lose(world: World, file_id: FileId, reason: str) -> tuple[e.Event, ...]:
    """The blob of a file that is published, or was about to be, is not in the store."""
    file = world.files.get(file_id)
    held = file is not None and file.status in {FileStatus.ACCEPTED, FileStatus.PUBLISHED}
    return (e.WheelLost(reason),) if held else ()


def conclude(world: World, build_id: BuildId, fence: int, event: e.BuildEvent) -> tuple[e.Event, ...]:
    """End a verified attempt: success, a policy failure, or an abort where the upload is not there."""
    build = world.build(build_id)
    return (event,) if build.status is Status.BUILT and build.fence == fence else ()


def finish(world: World, instruction: Finish) -> tuple[e.Event, ...]:
    """End a run, once."""
    state = world.runs.get(instruction.run)
    if state is None or state.finished is not None:
        return ()
    return (e.RunFinished(instruction.outcome, instruction.succeeded, instruction.failed),)
