"""Files, runs, sources, agents, targets and pages: every event in every state of theirs."""

import itertools

import msgspec
import pytest

from event_samples import ACCEPTED, BY_KIND, DEFINITION, RUN, SAMPLES, record, sample
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.envelope import Unknown
from wheelfleet_shared.core.file import FILE_TRANSITIONS, FileStatus, WheelFile, evolve_file
from wheelfleet_shared.core.roles import may_append
from wheelfleet_shared.core.run import (
    Agent,
    Page,
    SourceFile,
    Target,
    evolve_agent,
    evolve_page,
    evolve_run,
    evolve_source,
    evolve_target,
    new_run,
)
from wheelfleet_shared.names import FileId, SourceId, TargetId

COORDINATOR, OPERATOR, AGENT = "coordinator-main", "operator-ann", "agent-a1"


def speaker(event: e.Event) -> str:
    return next(actor for actor in (COORDINATOR, OPERATOR, AGENT) if may_append(actor.partition("-")[0], event))


def file_in(status: FileStatus) -> WheelFile:
    return WheelFile(FileId("f1"), status, None if status is FileStatus.ABSENT else ACCEPTED)


@pytest.mark.parametrize(
    ("status", "event"), list(itertools.product(FileStatus, SAMPLES)), ids=lambda value: str(value)[:24]
)
def test_every_event_in_every_state_of_a_file(status, event):
    before = file_in(status)
    after = evolve_file(before, record(event, speaker(event), sequence=50))
    keeps = isinstance(event, e.RebuildDiffered | e.WheelYanked) and status is not FileStatus.ABSENT
    transition = FILE_TRANSITIONS.get(type(event))
    if transition is not None and status in transition[0]:
        assert (after.status, after.ignored) == (transition[1], 0)
    elif keeps:
        assert (after.status, after.ignored) == (status, 0)
    else:
        assert after == msgspec.structs.replace(before, ignored=1, last=50)


def test_what_a_file_keeps():
    accepted = evolve_file(WheelFile(FileId("f1")), record(ACCEPTED))
    published = evolve_file(accepted, record(e.WheelPublished(), sequence=2))
    assert (published.accepted, published.published_at) == (ACCEPTED, 1002.0)
    other = sample(e.WheelAccepted, metadata_sha256="cd" * 32)
    assert evolve_file(published, record(other)).accepted == ACCEPTED
    assert evolve_file(published, record(BY_KIND[e.WheelYanked], OPERATOR)).yanked == "use 7.2"
    assert evolve_file(published, record(BY_KIND[e.RebuildDiffered])).differed == 1
    again = evolve_file(published, record(sample(e.RebuildDiffered, reproduced=True)))
    assert (again.differed, again.reproduced) == (0, 1)


def run_events(*events: e.Event):
    run = new_run(RUN)
    for sequence, event in enumerate(events, 1):
        run = evolve_run(run, record(event, speaker(event), sequence=sequence))
    return run


SUBMITTED, LISTED, CANCEL, FINISHED = (
    BY_KIND[kind] for kind in (e.RunSubmitted, e.ProjectListed, e.RunCancelRequested, e.RunFinished)
)


@pytest.mark.parametrize(
    ("events", "status", "ignored"),
    [
        ((), "absent", 0),
        ((LISTED, CANCEL, FINISHED), "absent", 3),
        ((SUBMITTED,), "active", 0),
        ((SUBMITTED, SUBMITTED), "active", 1),
        ((sample(e.RunSubmitted, run="other"),), "absent", 1),
        ((SUBMITTED, LISTED, LISTED), "active", 1),
        ((SUBMITTED, CANCEL, CANCEL), "cancelling", 0),
        ((SUBMITTED, FINISHED), "failed", 0),
        ((SUBMITTED, FINISHED, FINISHED, CANCEL), "failed", 2),
        ((SUBMITTED, BY_KIND[e.BuildQueued]), "active", 1),
    ],
)
def test_runs(events, status, ignored):
    run = run_events(*events)
    assert (run.status, run.ignored, run.last) == (status, ignored, len(events))


def test_a_run_is_submitted_by_people_alone():
    assert evolve_run(new_run(RUN), record(SUBMITTED, COORDINATOR)).ignored == 1


def test_two_new_runs_share_nothing():
    run_events(SUBMITTED, LISTED)
    assert new_run(RUN).listed == {}


def test_a_source_that_failed_may_come_later_and_then_stays():
    source = SourceFile(SourceId("s1"))
    failed = evolve_source(source, record(BY_KIND[e.FetchFailed]))
    fetched = evolve_source(failed, record(BY_KIND[e.SourceFetched]))
    assert (failed.failed is not None, fetched.failed, fetched.fetched) == (True, None, BY_KIND[e.SourceFetched])
    for event in (BY_KIND[e.FetchFailed], BY_KIND[e.SourceFetched]):
        assert evolve_source(fetched, record(event)).ignored == 1
    assert evolve_source(source, record(BY_KIND[e.BuildQueued])).ignored == 1
    assert evolve_source(source, record(BY_KIND[e.SourceFetched], AGENT)).ignored == 1


JOINED = BY_KIND[e.AgentJoined]


@pytest.mark.parametrize(
    ("events", "field", "value"),
    [
        ([(AGENT, JOINED)], "joined", JOINED),
        ([(AGENT, JOINED), (AGENT, BY_KIND[e.AgentLeft])], "left", True),
        ([(AGENT, JOINED), (AGENT, BY_KIND[e.AgentLeft]), (AGENT, JOINED)], "left", False),
        ([(AGENT, JOINED), (AGENT, e.AgentLeft("another"))], "ignored", 1),
        ([(AGENT, BY_KIND[e.AgentLeft])], "ignored", 1),
        ([("agent-a2", JOINED)], "ignored", 1),
        ([(COORDINATOR, JOINED)], "ignored", 1),
        ([(OPERATOR, e.AgentDrainRequested())], "draining", True),
        ([(OPERATOR, e.AgentDrainRequested()), (AGENT, JOINED)], "draining", True),
        ([(AGENT, JOINED), (OPERATOR, e.AgentDrainRequested()), (OPERATOR, e.AgentRemoved())], "draining", False),
        ([(AGENT, JOINED), (OPERATOR, e.AgentRemoved())], "joined", None),
        ([(AGENT, JOINED), (OPERATOR, e.AgentRemoved()), (AGENT, JOINED)], "joined", JOINED),
        ([(OPERATOR, e.AgentRemoved())], "ignored", 1),
        ([(AGENT, JOINED), (AGENT, e.AgentRemoved())], "joined", JOINED),
        ([(COORDINATOR, BY_KIND[e.AgentQuarantined])], "quarantined", ("all fails here",)),
        ([(COORDINATOR, BY_KIND[e.BuildQueued])], "ignored", 1),
    ],
)
def test_agents(events, field, value):
    agent = Agent(AGENT)
    for actor, event in events:
        agent = evolve_agent(agent, record(event, actor))
    assert getattr(agent, field) == value


def test_the_first_definition_of_a_target_holds():
    target = evolve_target(Target(TargetId("t")), record(BY_KIND[e.TargetDefined], AGENT))
    other = e.TargetDefined(msgspec.structs.replace(DEFINITION, libc_floor="2.17"))
    assert evolve_target(target, record(other, AGENT)) == msgspec.structs.replace(target, ignored=1)
    assert target.definition == DEFINITION
    assert evolve_target(Target(TargetId("t")), record(other, OPERATOR)).ignored == 1


def test_a_page_is_as_last_written():
    updated = BY_KIND[e.IndexUpdated]
    assert evolve_page(Page("p"), record(updated)).updated == updated
    assert evolve_page(Page("p"), record(updated, AGENT)).ignored == 1
    assert evolve_page(Page("p"), record(BY_KIND[e.BuildQueued])).ignored == 1


def test_unknown_events_are_nobodys():
    assert not any(may_append(role, Unknown("New", b"{}")) for role in ("agent", "operator", "coordinator"))
