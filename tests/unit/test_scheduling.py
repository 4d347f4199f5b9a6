"""Which build an agent gets, and why it may not have another."""

import msgspec
import pytest

from event_samples import BY_KIND, RUN, TARGET
from wheelfleet_coordinator.core.faster import Faster, SlotAhead, left_of
from wheelfleet_coordinator.core.scheduling import (
    Candidacy,
    age_of,
    choose,
    fitting_target,
    is_exclusive,
    rank,
    refusal,
)
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.build import Build, Status
from wheelfleet_shared.core.messages import Ask
from wheelfleet_shared.core.recipe import Needs
from wheelfleet_shared.core.run import Agent
from wheelfleet_shared.names import ANY_TARGET, BuildId, NodeKey, TargetId

OTHER = TargetId("cp312-linux_aarch64")
A1, A2 = Agent("agent-a1"), Agent("agent-a2")
ASK = Ask("i1", (TARGET,), 1, 1)


def queued(name: str = "b1", goal: e.Goal = "wheel", host: TargetId = TARGET, aborted_on: str = "") -> Build:
    plan = msgspec.structs.replace(BY_KIND[e.BuildPlanned], goal=goal, host=host, target=ANY_TARGET)
    aborts = ((aborted_on, "lost", ""),) if aborted_on else ()
    return Build(BuildId(name), Status.QUEUED, plan, wanted_by=(RUN,), aborts=aborts)  # type: ignore[arg-type]


def candidacy(build: Build, run: int = 0, urgency: float = 0.0, since: int = 0) -> Candidacy:
    return Candidacy(build, run, urgency, since)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (candidacy(queued(), run=0, since=9), candidacy(queued(goal="source"), run=1, urgency=9.0)),
        (candidacy(queued(), urgency=2.5, since=9), candidacy(queued(goal="source"), urgency=2.0)),
        (candidacy(queued(), since=1), candidacy(queued(), since=2)),
    ],
    ids=["older runs", "the longest chain", "longest queued"],
)
def test_what_goes_first(better, worse):
    assert rank(better) < rank(worse)
    first = msgspec.structs.replace(better, build=msgspec.structs.replace(better.build, id="first"))
    assert choose([worse, first], A1, ASK) == choose([first, worse], A1, ASK) == "first"


@pytest.mark.parametrize(
    ("agent", "build", "why"),
    [
        (A1, queued(), ""),
        (msgspec.structs.replace(A1, draining=True), queued(), "is being drained"),
        (msgspec.structs.replace(A1, quarantined=("all fails",)), queued(), "is set aside: all fails"),
        (A1, queued(host=OTHER), f"does not offer {OTHER} (it offers {TARGET})"),
        (A1, Build(BuildId("b1"), Status.QUEUED), f"does not offer ? (it offers {TARGET})"),
        (A1, queued(aborted_on="agent-a1"), "aborted this build before; another agent goes first"),
        (A1, queued(host=OTHER, aborted_on="agent-a1"), f"does not offer {OTHER} (it offers {TARGET})"),
        (A1, queued(aborted_on="agent-a2"), ""),
    ],
)
def test_refusals_in_words(agent, build, why):
    assert refusal(build, agent, ASK) == why


@pytest.mark.parametrize(
    ("goal", "targets", "found"),
    [
        ("wheel", (OTHER, TARGET), TARGET),
        ("wheel", (OTHER,), None),
        ("source", (OTHER, TARGET), TARGET),
        ("source", (OTHER,), OTHER),
        ("source", (), None),
    ],
)
def test_sources_are_prepared_anywhere(goal, targets, found):
    assert fitting_target(queued(goal=goal), targets) == found


def test_a_build_comes_back_to_its_only_agent_at_once():
    assert choose([candidacy(queued(aborted_on="agent-a1"))], A1, ASK) == "b1"


def test_another_agent_goes_first_if_it_may():
    candidates = [candidacy(queued(aborted_on="agent-a1"))]
    assert choose(candidates, A1, ASK, [(A2, ASK)]) is None
    assert choose(candidates, A2, ASK, [(A1, ASK)]) == "b1"


@pytest.mark.parametrize(
    "other",
    [
        (msgspec.structs.replace(A2, quarantined=("all fails",)), ASK),
        (msgspec.structs.replace(A2, draining=True), ASK),
        (A2, Ask("i2", (OTHER,), 1, 1)),
    ],
)
def test_who_may_not_have_it_holds_nobody_up(other):
    assert choose([candidacy(queued(aborted_on="agent-a1"))], A1, ASK, [other]) == "b1"


def test_after_a_second_abort_anyone_may_try():
    twice = msgspec.structs.replace(queued(), aborts=(("agent-a2", "lost", ""), ("agent-a1", "lost", "")))
    assert choose([candidacy(twice)], A1, ASK, [(A2, ASK)]) == "b1"


def test_only_queued_builds_are_given():
    claimed = msgspec.structs.replace(queued(), status=Status.CLAIMED)
    assert choose([candidacy(claimed), candidacy(queued(host=OTHER))], A1, ASK) is None


def needing(name: str = "b1", **needs: object) -> Build:
    build = queued(name)
    plan = msgspec.structs.replace(build.plan, needs=Needs(**needs), node=NodeKey(name, "1.0"))  # type: ignore[arg-type,type-var]
    return msgspec.structs.replace(build, plan=plan)


@pytest.mark.parametrize(
    ("needs", "has", "why"),
    [
        ({"labels": ("gpu",)}, {"labels": ("big", "gpu")}, ""),
        ({"labels": ("gpu",)}, {"labels": ("big", "fast")}, "lacks the label gpu (it has big, fast)"),
        ({"labels": ("gpu", "big")}, {}, "lacks the labels gpu, big (it has none)"),
        ({"sandbox": "standard"}, {"sandbox": "standard"}, ""),
        ({"sandbox": "standard"}, {"sandbox": "none"}, "has the sandbox none, where standard is required"),
        ({"sandbox": "none"}, {"sandbox": "standard"}, ""),
        ({"sandbox": "machine"}, {"sandbox": "standard"}, "has the sandbox standard, where machine is required"),
        ({"sandbox": "standard"}, {"sandbox": "machine"}, "has the sandbox machine, where standard is required"),
        ({"sandbox": "machine"}, {"sandbox": "machine"}, ""),
    ],
)
def test_labels_and_sandbox_that_settings_require(needs, has, why):
    build, ask = needing(**needs), msgspec.structs.replace(ASK, **has)
    assert refusal(build, A1, ask) == why
    assert choose([candidacy(build)], A1, ask) == (None if why else "b1")


HUGE, SMALL = needing("huge", exclusive=True), needing("small")


def test_an_exclusive_build_stands_beside_none_in_words():
    assert is_exclusive(HUGE)
    assert not is_exclusive(Build(BuildId("unknown")))
    assert refusal(HUGE, A1, ASK) == refusal(SMALL, A1, ASK, [SMALL]) == ""
    two = [needing("zlib"), Build(BuildId("planless"))]
    assert refusal(HUGE, A1, ASK, two) == "builds planless, zlib==1.0; this build must be alone on its agent"
    assert refusal(SMALL, A1, ASK, [HUGE]) == "builds huge==1.0, which must be alone on its agent"
    assert refusal(HUGE, A1, ASK, [HUGE]) == "builds huge==1.0, which must be alone on its agent"


def test_others_of_its_run_go_before_it_and_younger_runs_do_not():
    def held(*builds):
        return lambda actor: builds if actor == A1.id else ()

    same = [candidacy(HUGE), candidacy(SMALL, since=1)]
    younger = [candidacy(HUGE), candidacy(SMALL, run=1)]
    other = needing("other")
    assert choose(same, A1, ASK) == choose(younger, A1, ASK) == "huge"
    assert choose(same, A1, ASK, holding=held(other)) == "small"
    assert choose(younger, A1, ASK, holding=held(other)) is None
    assert choose(younger, A2, ASK, holding=held(other)) == "huge"
    assert choose(same, A1, ASK, holding=held(HUGE)) is None
    # Two that wait: the older one's run counts.
    both = [candidacy(HUGE), candidacy(needing("vast", exclusive=True), run=2), candidacy(SMALL, run=1)]
    assert choose(both, A1, ASK, holding=held(other)) is None


def test_an_agent_that_is_taken_alone_holds_nobody_up():
    lost = msgspec.structs.replace(SMALL, aborts=(("agent-a1", "lost", ""),))
    others = [(A2, ASK)]
    assert choose([candidacy(lost)], A1, ASK, others) is None
    assert choose([candidacy(lost)], A1, ASK, others, lambda actor: [HUGE] if actor == A2.id else []) == "small"


def test_runs_share_the_slots_and_what_waited_for_hours_goes_first():
    older, younger = candidacy(queued("older"), run=3, urgency=9.0), candidacy(queued("younger"), run=7)
    both = [older, younger]
    assert choose(both, A1, ASK) == choose(both, A1, ASK, shares={3: 2, 7: 2}) == "older"
    assert choose(both, A1, ASK, shares={3: 2, 7: 1}) == "younger"
    aged = msgspec.structs.replace(older, age=1)
    assert choose([aged, younger], A1, ASK, shares={3: 2, 7: 1}) == "older"
    assert choose([aged, msgspec.structs.replace(younger, age=2)], A1, ASK) == "younger"


def test_what_must_be_alone_ages_sooner():
    assert [age_of(SMALL, hours * 3600.0) for hours in (0, 0.9, 1, 2.5)] == [0, 0, 1, 2]
    assert [age_of(HUGE, minutes * 60.0) for minutes in (-1, 9, 10, 30)] == [0, 0, 1, 3]


FAST = msgspec.structs.replace(A2, id="agent-fast")


def left_to(*free_in: float, speed: float = 4.0, may: bool = True, seconds: float = 40.0) -> Faster:
    slots = [SlotAhead(FAST, ASK, speed, left) for left in free_in]
    return Faster(A1.id, 1.0, [*slots, SlotAhead(A1, ASK, 9.0, 0.0)], lambda _: seconds, lambda _build, _slot: may)


@pytest.mark.parametrize(
    ("faster", "why"),
    [
        (left_to(20.0), FAST.id),
        (left_to(35.0), ""),
        (left_to(20.0, may=False), ""),
        (left_to(0.0, speed=1.05), ""),
        (left_to(), ""),
    ],
    ids=["sooner there", "later there", "it may not", "hardly faster", "nobody else"],
)
def test_what_a_faster_agent_ends_earlier_is_left_to_it(faster, why):
    assert faster.take(queued()) == why


def test_what_is_left_to_a_slot_keeps_it_busy():
    faster = left_to(5.0, 12.0)
    assert [faster.take(queued(str(number))) for number in range(6)] == [FAST.id] * 5 + [""]


def test_an_agent_gets_the_next_build_that_is_not_left_to_another():
    two = [candidacy(queued("first")), candidacy(queued("second"), since=1)]
    assert choose(two, A1, ASK, faster=left_to(20.0)) == "second"
    assert choose([candidacy(HUGE)], A1, ASK, faster=left_to(0.0)) == "huge"
    assert choose(two[:1], A1, ASK, faster=left_to(0.0)) is None


def test_a_build_that_takes_longer_than_expected_may_go_on_for_half_as_long():
    assert (left_of(10.0, 4.0), left_of(10.0, 30.0)) == (6.0, 15.0)
