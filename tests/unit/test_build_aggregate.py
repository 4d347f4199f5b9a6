"""The build aggregate: every event in every state, and what the legal ones change."""

import itertools

import msgspec
import pytest

from event_samples import BY_KIND, FENCE, NODE, RUN, SAMPLES, SDIST, TARGET, record, sample
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.build import (
    ENDED,
    KEEPS_STATE,
    TRANSITIONS,
    Build,
    Status,
    build_key,
    evolve,
    plan_build,
)
from wheelfleet_shared.core.recipe import Needs, NodeRecipe
from wheelfleet_shared.core.roles import ALLOWED, may_append
from wheelfleet_shared.names import ANY_TARGET, BuildId, IndexName

OWNER = "agent-a1"


def build_in(status: Status) -> Build:
    """A build that stands there, claimed under the fence where it has one."""
    held = status in {Status.CLAIMED, Status.BUILT}
    owner = OWNER if status is Status.CLAIMED else ""
    return Build(BuildId("b1"), status, wanted_by=(RUN,), fence=FENCE if held else 0, owner=owner, generation=1)


def speaker(event: e.Event) -> str:
    """Someone who may state the event, the owner if agents do."""
    return (
        OWNER
        if may_append("agent", event)
        else "coordinator-main"
        if may_append("coordinator", event)
        else "operator-x"
    )


def is_legal(status: Status, event: e.Event) -> bool:
    if isinstance(event, KEEPS_STATE):
        return status is not Status.ABSENT
    transition = TRANSITIONS.get(type(event))
    if transition is None or status not in transition[0]:
        return False
    if isinstance(event, e.BuildFailed | e.AttemptAborted):
        return status is Status.CLAIMED  # only there has an agent a fence to speak under
    return True


@pytest.mark.parametrize(
    ("status", "event"), list(itertools.product(Status, SAMPLES)), ids=lambda value: str(value)[:24]
)
def test_every_event_in_every_state(status, event):
    before = build_in(status)
    after = evolve(before, record(event, speaker(event), sequence=50))
    assert after.last == 50
    if is_legal(status, event):
        assert after.ignored == 0
        assert after.status is (TRANSITIONS[type(event)][1] if type(event) in TRANSITIONS else status)
        assert (after.ended_at == 1050.0) is (after.status in ENDED and type(event) in TRANSITIONS)
    else:
        assert after == msgspec.structs.replace(before, ignored=1, last=50)


@pytest.mark.parametrize("status", ENDED)
def test_an_end_is_left_by_a_reopening_alone(status):
    leaving = {kind for kind, (states, after) in TRANSITIONS.items() if status in states and after is not status}
    assert leaving - {e.QuarantineLifted} == {e.BuildReopened}


@pytest.mark.parametrize("role", ["agent", "operator", "coordinator", "viewer", ""])
@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: type(event).__name__)
def test_only_who_may_say_it_is_heard(role, event):
    allowed = may_append(role, event)
    assert allowed is (type(event) in ALLOWED.get(role, ()))
    if allowed:
        return
    for status in Status:
        assert evolve(build_in(status), record(event, f"{role}-a1")).ignored == 1


FENCED = [event for event in SAMPLES if type(event) in TRANSITIONS and getattr(event, "fence", 0)]


@pytest.mark.parametrize("event", FENCED, ids=lambda event: type(event).__name__)
def test_a_stale_fence_changes_nothing(event):
    before = build_in(Status.CLAIMED)
    stale = msgspec.structs.replace(event, fence=FENCE - 1)
    assert evolve(before, record(stale, speaker(event), sequence=9)) == msgspec.structs.replace(
        before, ignored=1, last=9
    )


@pytest.mark.parametrize("event", FENCED, ids=lambda event: type(event).__name__)
def test_another_agent_cannot_speak_under_the_owners_fence(event):
    if speaker(event) == OWNER:
        assert evolve(build_in(Status.CLAIMED), record(event, "agent-a2")).status is Status.CLAIMED


def test_a_claim_is_the_fence():
    claimed = evolve(build_in(Status.QUEUED), record(BY_KIND[e.BuildClaimed], "agent-a1", sequence=33))
    assert (claimed.fence, claimed.owner, claimed.owner_incarnation) == (33, "agent-a1", "i1")
    assert (claimed.attempts, claimed.claim_target, claimed.claimed_at) == (1, TARGET, 1033.0)


def test_a_claim_of_another_attempt_than_was_offered_is_refused():
    assert evolve(build_in(Status.QUEUED), record(sample(e.BuildClaimed, attempt=2), "agent-a1")).ignored == 1


def test_an_attempt_whose_result_does_not_hold_is_still_its_agents():
    claimed = fold(build_in(Status.QUEUED), (OWNER, BY_KIND[e.BuildClaimed]))
    built = evolve(claimed, record(BY_KIND[e.WheelBuilt], OWNER, sequence=50))
    assert (built.owner, built.tried_by) == ("", OWNER)
    refused = evolve(built, record(e.AttemptAborted(FENCE, "upload", "no space left"), sequence=51))
    assert refused.aborts == ((OWNER, "upload", "no space left"),)
    assert Build(BuildId("b")).tried_by == ""


def test_late_results_are_remembered_by_their_fences_over_generations():
    late = evolve(build_in(Status.SUCCEEDED), record(BY_KIND[e.AttemptSuperseded], sequence=60))
    assert (late.status, late.superseded) == (Status.SUCCEEDED, (FENCE,))
    assert evolve(late, record(BY_KIND[e.BuildReopened], sequence=61)).superseded == (FENCE,)


def fold(build: Build, *events: tuple[str, e.Event]) -> Build:
    for sequence, (actor, event) in enumerate(events, FENCE):
        build = evolve(build, record(event, actor, sequence=sequence))
    return build


@pytest.mark.rule("hook-5", "hook-6")
def test_requirements_of_a_hook_outlast_attempts_but_no_generation():
    claimed = fold(build_in(Status.QUEUED), (OWNER, BY_KIND[e.BuildClaimed]), (OWNER, BY_KIND[e.BuildBlocked]))
    assert (claimed.status, claimed.requirements, claimed.fence) == (Status.BLOCKED, ("cython",), 0)
    failed = evolve(claimed, record(sample(e.BuildFailed, fence=0)))
    reopened = evolve(failed, record(BY_KIND[e.BuildReopened]))
    assert (reopened.requirements, reopened.failure, reopened.wanted_by) == (None, None, ())
    assert (reopened.generation, reopened.attempts) == (2, 1)


@pytest.mark.parametrize("event", [BY_KIND[e.AttemptAborted], BY_KIND[e.LeaseExpired]])
def test_an_attempt_that_ends_early_leaves_its_evidence(event):
    claimed = fold(build_in(Status.QUEUED), (OWNER, BY_KIND[e.BuildClaimed]))
    aborted = evolve(claimed, record(event, OWNER if isinstance(event, e.AttemptAborted) else "coordinator-main"))
    assert [agent for agent, _, _ in aborted.aborts] == [OWNER]
    assert (aborted.fence, aborted.wheel, aborted.source) == (0, None, None)


def test_wanters_are_kept_once_and_in_order():
    build = build_in(Status.PLANNED)
    for run in ("r2", "r1", "r2"):
        build = evolve(build, record(e.BuildWanted(run)))  # type: ignore[arg-type]
    assert build.wanted_by == ("r1", "r2")
    assert evolve(build, record(BY_KIND[e.BuildUnwanted])).wanted_by == ("r2",)


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (BY_KIND[e.WheelBuilt], "wheel"),
        (BY_KIND[e.SourcePrepared], "source"),
        (BY_KIND[e.MetadataPrepared], "metadata"),
    ],
)
def test_a_result_is_kept_under_its_fence(event, field):
    built = evolve(build_in(Status.CLAIMED), record(event, OWNER))
    assert (getattr(built, field), built.fence, built.owner) == (event, FENCE, "")


def test_ends_keep_their_reasons():
    assert evolve(build_in(Status.PLANNED), record(BY_KIND[e.DependencyFailed])).chain
    unsolvable = evolve(build_in(Status.PLANNED), record(BY_KIND[e.EnvironmentUnsolvable]))
    assert unsolvable.failure is not None
    assert (unsolvable.failure.kind, unsolvable.failure.line) == ("policy", "a against b")
    satisfied = evolve(build_in(Status.PLANNED), record(BY_KIND[e.BuildSatisfied]))
    assert satisfied.satisfied_by == BY_KIND[e.BuildSatisfied]


def plan(**changes):
    facts = {"target": TARGET, "host": TARGET, "source": SDIST, "source_url": "sim://pbr"}
    return plan_build("wheel", IndexName(), NODE, **(facts | changes))


def test_the_identity_is_all_that_determines_the_result_and_nothing_else():
    identity, planned = plan()
    assert planned.key == build_key(("wheel", "main/cpu", NODE.name, NODE.version, "0", SDIST.sha256, ""))
    assert plan(source_url="sim://mirror", host=ANY_TARGET, expectation="pure")[0] == identity
    assert plan(recipe=NodeRecipe(needs=Needs(exclusive=True)))[0] == identity
    assert plan(recipe=NodeRecipe(hooks="ab" * 32))[0] == identity
    others = [
        {"target": ANY_TARGET},
        {"source": msgspec.structs.replace(SDIST, sha256="cd" * 32)},
        {"recipe": NodeRecipe(build_tag="1")},
        {"recipe": NodeRecipe(preparation="ab" * 32)},
        {"recipe": NodeRecipe(build="ab" * 32)},
    ]
    assert len({identity, *(plan(**other)[0] for other in others)}) == 6
    assert plan(target=ANY_TARGET)[1].key == planned.key


def test_a_source_is_prepared_alike_whatever_the_settings_say_to_the_build_after_it():
    facts = {"target": ANY_TARGET, "host": TARGET, "source": SDIST, "source_url": "sim://pbr"}
    same = {
        plan_build("source", IndexName(), NODE, **facts, recipe=recipe)[0]
        for recipe in (NodeRecipe(), NodeRecipe(build="ab" * 32, build_tag="3"))
    }
    assert len(same) == 1
    hooked = [NodeRecipe(hooks="ab" * 32, build_tag=tag) for tag in ("0", "")]
    plans = [plan_build("source", IndexName(), NODE, **facts, recipe=recipe) for recipe in hooked]
    assert {identity for identity, _ in plans} == same
    assert [planned.hooks for _, planned in plans] == ["", "ab" * 32], "hooks of a wheel that is not built"
    assert plan_build("source", IndexName(), NODE, **facts, recipe=NodeRecipe(preparation="cd" * 32))[0] not in same
