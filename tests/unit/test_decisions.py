"""What the coordinator states, given what the log says: events before, the decision, events after."""

from collections.abc import Sequence

import msgspec
import pytest

from event_samples import ACCEPTED, BUILD, BY_KIND, NODE, RUN, TARGET, WHEEL, record, sample
from wheelfleet_coordinator.core import decisions
from wheelfleet_coordinator.core.instructions import Finish, GiveUp, Plan
from wheelfleet_coordinator.core.world import World
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.build import ABORT_BUDGET
from wheelfleet_shared.core.file import FileStatus, WheelFile
from wheelfleet_shared.names import BuildId, FileId, RunId, SourceId, file_id, graph_id

SECOND = RunId("r2")
PLANNED = BY_KIND[e.BuildPlanned]
SOURCE_PLANNED = sample(e.BuildPlanned, goal="source")
FILE = file_id(ACCEPTED.index, WHEEL.file_name)
GRAPH = graph_id(RUN, TARGET)
Said = tuple[str, str, str, e.Event]


def submitted(run: str = RUN) -> Said:
    return ("run", run, "operator-ann", sample(e.RunSubmitted, run=run))


def build(event: e.Event, actor: str = "coordinator-main") -> Said:
    return ("build", BUILD, actor, event)


def file(event: e.Event, actor: str = "coordinator-main") -> Said:
    return ("file", FILE, actor, event)


def given(*events: Said) -> World:
    world = World()
    for sequence, (kind, key, actor, event) in enumerate(events, 1):
        world.apply(record(event, actor, sequence=sequence, kind=kind, key=key))
    assert world.ignored == 0
    return world


WANTED = (submitted(), build(PLANNED), build(e.BuildWanted(RUN)))
WANTED_TWICE = (submitted(), submitted(SECOND), *WANTED[1:], build(e.BuildWanted(SECOND)))
LOCKED = build(BY_KIND[e.EnvironmentLocked])
QUEUED = (*WANTED, LOCKED, build(e.BuildQueued()))
CLAIMED = (*QUEUED, build(BY_KIND[e.BuildClaimed], "agent-a1"))
BUILT = (*CLAIMED, build(sample(e.WheelBuilt, fence=6), "agent-a1"))
FAILED = (*WANTED, build(sample(e.BuildFailed, fence=0)))
PUBLISHED = (file(ACCEPTED), file(e.WheelPublished()))
DONE = (*BUILT, *PUBLISHED, build(e.BuildSucceeded()))


@pytest.mark.parametrize(
    ("before", "run", "after"),
    [
        ((), RUN, ()),
        ((submitted(),), RUN, (PLANNED, e.BuildWanted(RUN))),
        (WANTED, RUN, ()),
        ((*WANTED, submitted(SECOND)), SECOND, (e.BuildWanted(SECOND),)),
        ((*FAILED, submitted(SECOND)), SECOND, (e.BuildReopened("wanted", SECOND), e.BuildWanted(SECOND))),
        (FAILED, RUN, ()),
        ((*WANTED, build(e.BuildCancelled())), RUN, (e.BuildReopened("wanted", RUN), e.BuildWanted(RUN))),
        (DONE, RUN, ()),
        ((*DONE, file(e.WheelLost("gone"))), RUN, (e.BuildReopened("lost", RUN), e.BuildWanted(RUN))),
        ((*WANTED, ("run", RUN, "operator-ann", e.RunCancelRequested())), RUN, ()),
    ],
    ids=[
        "no run",
        "new",
        "wanted",
        "by another",
        "failed before",
        "failed here",
        "cancelled",
        "done",
        "lost",
        "stopped",
    ],
)
def test_plan(before: Sequence[Said], run: RunId, after: tuple[e.Event, ...]):
    assert decisions.plan(given(*before), Plan(BUILD, PLANNED, run)) == after  # type: ignore[arg-type]


def test_a_source_is_queued_with_its_plan_since_it_waits_for_nothing():
    planned = msgspec.structs.replace(PLANNED, goal="source")
    events = decisions.plan(given(submitted()), Plan(BUILD, planned, RUN))
    assert events == (planned, e.BuildWanted(RUN), e.BuildQueued())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (WANTED, ()),
        ((*WANTED, LOCKED), (e.BuildQueued(),)),
        ((build(SOURCE_PLANNED),), (e.BuildQueued(),)),
        (QUEUED, ()),
    ],
)
def test_queue(before, after):
    assert decisions.queue(given(*before), BUILD) == after


def aborted(times: int) -> tuple[Said, ...]:
    events = [*WANTED, LOCKED]
    for attempt in range(1, times + 1):
        events.append(build(e.BuildQueued()))
        events.append(build(sample(e.BuildClaimed, attempt=attempt), "agent-a1"))
        events.append(build(e.AttemptAborted(len(events), "lost", "gone"), "agent-a1"))
    return tuple(events)


def test_retry():
    assert decisions.retry(given(*QUEUED), BUILD) == ()
    assert decisions.retry(given(*aborted(ABORT_BUDGET - 1)), BUILD) == (e.BuildQueued(),)
    quarantined = e.BuildQuarantined(("agent-a1: lost gone",) * ABORT_BUDGET)
    assert decisions.retry(given(*aborted(ABORT_BUDGET)), BUILD) == (quarantined,)


def test_lock():
    outcome, unsolvable = BY_KIND[e.EnvironmentLocked], BY_KIND[e.EnvironmentUnsolvable]
    assert isinstance(outcome, e.EnvironmentLocked)
    assert isinstance(unsolvable, e.EnvironmentUnsolvable)
    first = decisions.lock(given(*WANTED), BUILD, outcome)
    assert first == (e.EnvironmentLocked(1, outcome.files, outcome.digest, outcome.static), e.BuildQueued())
    blocked = given(*CLAIMED, build(e.BuildBlocked(6, ("cython",)), "agent-a1"))
    (second, _) = decisions.lock(blocked, BUILD, outcome)
    assert second == e.EnvironmentLocked(3, outcome.files, outcome.digest, outcome.static)
    assert decisions.lock(given(*WANTED), BUILD, unsolvable) == (unsolvable,)
    assert decisions.lock(given(*QUEUED), BUILD, outcome) == ()


@pytest.mark.parametrize(
    ("before", "reason", "kinds"),
    [
        (WANTED, "dependency", [e.DependencyFailed]),
        (WANTED, "cycle", [e.BuildFailed]),
        (WANTED_TWICE, "dependency", [e.BuildUnwanted]),
        ((*WANTED_TWICE, build(e.BuildUnwanted(RUN))), "dependency", []),
        (QUEUED, "dependency", []),
    ],
)
def test_give_up(before, reason, kinds):
    found = decisions.give_up(given(*before), GiveUp(BUILD, RUN, reason, ("a==1", "b==1")))
    assert [type(event) for event in found] == kinds


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((submitted(),), ()),
        (WANTED, (e.BuildUnwanted(RUN), e.BuildCancelled())),
        (WANTED_TWICE, (e.BuildUnwanted(RUN),)),
        (CLAIMED, (e.BuildUnwanted(RUN), e.BuildCancelled())),
        (BUILT, (e.BuildUnwanted(RUN),)),
        (FAILED, (e.BuildUnwanted(RUN),)),
    ],
)
def test_abandon(before, after):
    assert decisions.abandon(given(*before), BUILD, RUN) == after


def test_expire():
    assert decisions.expire(given(*CLAIMED), BUILD, 6, "silent") == (e.LeaseExpired(6, "agent-a1", "silent"),)
    assert decisions.expire(given(*CLAIMED), BUILD, 5, "silent") == ()
    assert decisions.expire(given(*BUILT), BUILD, 6, "silent") == ()


def test_conclude():
    assert decisions.conclude(given(*BUILT), BUILD, 6, e.BuildSucceeded()) == (e.BuildSucceeded(),)
    assert decisions.conclude(given(*BUILT), BUILD, 5, e.BuildSucceeded()) == ()
    assert decisions.conclude(given(*DONE), BUILD, 6, e.BuildSucceeded()) == ()


def test_resolved_once_with_its_failures_before():
    event = BY_KIND[e.RequirementsResolved]
    failure = sample(e.RequirementUnresolvable, node=NODE, stage="install", extras=("x",))
    assert isinstance(event, e.RequirementsResolved)
    assert isinstance(failure, e.RequirementUnresolvable)
    world = given(submitted())
    assert decisions.resolved(world, GRAPH, (event,), (failure,)) == (failure, event)
    world.apply(record(event, sequence=2, kind="graph", key=GRAPH))
    assert decisions.resolved(world, GRAPH, (event,), (failure,)) == ()
    assert decisions.resolved(World(), GRAPH, (event,), ()) == ()


def test_listed_and_fetched_once():
    listed, fetched = BY_KIND[e.ProjectListed], BY_KIND[e.SourceFetched]
    assert isinstance(listed, e.ProjectListed)
    assert isinstance(fetched, e.SourceFetched)
    world = given(submitted())
    assert decisions.listed(world, RUN, listed) == (listed,)
    assert decisions.fetched(world, SourceId("s"), fetched) == (fetched,)
    world.apply(record(listed, sequence=2, kind="run", key=RUN))
    world.apply(record(fetched, sequence=3, kind="source", key="s"))
    assert decisions.listed(world, RUN, listed) == ()
    assert decisions.fetched(world, SourceId("s"), fetched) == ()


def test_accept_and_publish():
    absent = WheelFile(FileId(FILE))
    held = WheelFile(FileId(FILE), FileStatus.ACCEPTED, ACCEPTED)
    other = sample(e.WheelAccepted, file=e.FileRef(WHEEL.file_name, "cd" * 32, 1))  # type: ignore[arg-type]
    assert isinstance(other, e.WheelAccepted)
    assert decisions.accept(absent, ACCEPTED) == (ACCEPTED,)
    assert decisions.accept(held, ACCEPTED) == ()
    assert decisions.accept(held, other) == (e.RebuildDiffered(BUILD, other.file),)
    assert decisions.accept(WheelFile(FileId(FILE), FileStatus.GONE, ACCEPTED), other) == (), "the next one is open"
    assert decisions.publish(given(file(ACCEPTED)), FileId(FILE)) == (e.WheelPublished(),)
    assert decisions.publish(given(*PUBLISHED), FileId(FILE)) == ()
    assert decisions.publish(World(), FileId(FILE)) == ()
    built = given(*BUILT).build(BUILD)
    assert decisions.holds(held, built)
    assert not decisions.holds(absent, built)
    assert not decisions.holds(WheelFile(FileId(FILE), FileStatus.ACCEPTED, other), built)


def test_other_bytes_that_install_the_same_are_a_reproduction():
    was = sample(e.WheelAccepted, payload="payload")
    again = sample(e.WheelAccepted, payload="payload", file=e.FileRef(WHEEL.file_name, "cd" * 32, 1))  # type: ignore[arg-type]
    assert isinstance(again, e.WheelAccepted)
    held = WheelFile(FileId(FILE), FileStatus.PUBLISHED, was)  # type: ignore[arg-type]
    assert decisions.accept(held, again) == (e.RebuildDiffered(BUILD, again.file, reproduced=True),)
    built = given(*BUILT).build(BUILD)
    rebuilt = msgspec.structs.replace(built, wheel=msgspec.structs.replace(built.wheel, wheel=again.file))
    assert decisions.holds(held, rebuilt)
    unlike = [
        WheelFile(FileId(FILE), FileStatus.ACCEPTED, was),  # type: ignore[arg-type]
        WheelFile(FileId(FILE), FileStatus.PUBLISHED, sample(e.WheelAccepted, payload="other")),  # type: ignore[arg-type]
        WheelFile(FileId(FILE), FileStatus.PUBLISHED, ACCEPTED),
        WheelFile(FileId(FILE), FileStatus.PUBLISHED, sample(e.WheelAccepted, payload="payload", key="k2")),  # type: ignore[arg-type]
        WheelFile(FileId(FILE), FileStatus.PUBLISHED, BY_KIND[e.WheelTakenOver]),  # type: ignore[arg-type]
    ]
    for other in unlike:
        assert decisions.accept(other, again) == (e.RebuildDiffered(BUILD, again.file),)
        assert not decisions.holds(other, rebuilt)


def test_a_build_run_again_leaves_the_published_bytes_and_no_others():
    was = sample(e.WheelAccepted, payload="other")
    built = given(*BUILT).build(BUILD)
    wheel = e.FileRef(WHEEL.file_name, "cd" * 32, 1)  # type: ignore[arg-type]
    first = msgspec.structs.replace(built, wheel=msgspec.structs.replace(built.wheel, wheel=wheel))
    again = msgspec.structs.replace(first, generation=2)
    published = WheelFile(FileId(FILE), FileStatus.PUBLISHED, was)  # type: ignore[arg-type]
    assert isinstance(was, e.WheelAccepted)
    assert was.build == first.id
    assert decisions.is_rebuilt(published, first), "an attempt of its own came before"
    assert decisions.is_rebuilt(published, again)
    of_another = msgspec.structs.replace(published, accepted=msgspec.structs.replace(was, build=BuildId("b2")))
    assert not decisions.is_rebuilt(of_another, first)
    assert decisions.is_rebuilt(of_another, again)
    half_way = WheelFile(FileId(FILE), FileStatus.ACCEPTED, was)  # type: ignore[arg-type]
    assert not decisions.is_rebuilt(half_way, again), "what was never published is nothing to fall back to"
    assert decisions.is_left_half_way(half_way, again)
    assert not decisions.is_left_half_way(half_way, built), "its own bytes"
    assert not decisions.is_left_half_way(published, again)
    assert not decisions.is_left_half_way(WheelFile(FileId(FILE)), again)


def test_a_late_wheel_is_recorded_once_and_only_of_who_had_the_build():
    claim, published = len(BUILT) - 1, given(*BUILT, file(ACCEPTED))
    build_id, agent = BUILT[-1][1], BUILT[-1][2]
    held = published.build(build_id)
    assert held.claims == ((claim, agent),)
    assert decisions.supersede(published, build_id, claim, agent, WHEEL) == (), "it is current"
    published.apply(record(e.AttemptAborted(claim, "lost"), "coordinator-main", sequence=90))
    other = e.FileRef(WHEEL.file_name, "cd" * 32, 1)  # type: ignore[arg-type]
    assert decisions.supersede(published, build_id, claim, agent, WHEEL) == (e.AttemptSuperseded(claim, WHEEL, True),)
    assert decisions.supersede(published, build_id, claim, agent, other) == (e.AttemptSuperseded(claim, other, False),)
    assert decisions.supersede(published, build_id, claim, "agent-other", WHEEL) == ()
    assert decisions.supersede(published, build_id, claim + 1, agent, WHEEL) == ()
    published.apply(record(e.AttemptSuperseded(claim, WHEEL, True), sequence=91))
    assert decisions.supersede(published, build_id, claim, agent, WHEEL) == ()
    assert published.ignored == 0


def test_finish_once():
    finish = Finish(RUN, "failed", 3, 1)
    assert decisions.finish(given(submitted()), finish) == (e.RunFinished("failed", 3, 1),)
    ended = ("run", RUN, "coordinator-main", e.RunFinished("failed", 3, 1))
    assert decisions.finish(given(submitted(), ended), finish) == ()
    assert decisions.finish(World(), finish) == ()
