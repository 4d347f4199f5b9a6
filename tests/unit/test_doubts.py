"""When an agent is set aside: builds in a row that it aborted and others completed."""

import pytest

from event_samples import BY_KIND, record, sample
from wheelfleet_coordinator.core.doubts import ENOUGH, Doubts, set_aside
from wheelfleet_coordinator.core.run_rows import agent_rows
from wheelfleet_coordinator.core.world import World
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.build import Build, Status
from wheelfleet_shared.core.run import Agent, evolve_agent
from wheelfleet_shared.names import BuildId, TargetId

BAD, GOOD = "agent-bad", "agent-good"
JOINED = BY_KIND[e.AgentJoined]


def built(number: int, maker: str, *aborts: tuple[str, str]) -> Build:
    told = tuple((agent, kind, "why") for agent, kind in aborts)
    return Build(BuildId(f"b{number}"), Status.SUCCEEDED, claims=((number, maker),), aborts=told)


def agent(name: str, **changes: object) -> Agent:
    return Agent(name, **{"joined": JOINED} | changes)  # type: ignore[arg-type]


@pytest.fixture
def doubts() -> Doubts:
    found = Doubts()
    for number in range(ENOUGH):
        found.note_success(built(number, GOOD, (BAD, "disk_full")))
    return found


def test_enough_builds_that_others_completed_speak_against_an_agent(doubts: Doubts):
    assert doubts.suspects() == (BAD,)
    (event,) = set_aside(doubts, agent(BAD), [agent(BAD), agent(GOOD)])
    assert isinstance(event, e.AgentQuarantined)
    assert event.evidence[0] == "b0: disk_full why; agent-good made it"
    assert set_aside(doubts, agent(GOOD), [agent(BAD)]) == ()


def test_fewer_do_not_nor_the_same_build_again():
    doubts = Doubts()
    for _ in range(ENOUGH):
        doubts.note_success(built(1, GOOD, (BAD, "upload"), (BAD, "upload")))
    assert doubts.suspects() == ()
    assert len(doubts.against(BAD)) == 1
    assert set_aside(doubts, agent(BAD), [agent(GOOD)]) == ()


@pytest.mark.parametrize("kind", ["shutdown", "cancelled"])
def test_ends_that_are_nobodys_fault_do_not_count(kind: str):
    doubts = Doubts()
    doubts.note_success(built(1, GOOD, (BAD, kind)))
    doubts.note_success(built(2, BAD, (BAD, "upload")))
    assert doubts.against(BAD) == ()


def test_a_build_that_it_completes_clears_an_agent(doubts: Doubts):
    doubts.note_success(built(9, BAD))
    assert doubts.against(BAD) == ()


@pytest.mark.parametrize(
    "other",
    [
        agent(GOOD, joined=None),
        agent(GOOD, joined=sample(e.AgentJoined, targets=(TargetId("elsewhere"),))),
        agent(GOOD, left=True),
        agent(GOOD, draining=True),
        agent(GOOD, quarantined=("x",)),
    ],
)
def test_nobody_is_set_aside_whom_the_others_cannot_stand_in_for(doubts: Doubts, other: Agent):
    assert set_aside(doubts, agent(BAD), [other]) == ()


@pytest.mark.parametrize("aside", [agent(BAD, quarantined=("x",)), agent(BAD, joined=None)])
def test_who_is_set_aside_or_never_joined_is_not_set_aside(doubts: Doubts, aside: Agent):
    assert set_aside(doubts, aside, [agent(GOOD)]) == ()


def test_a_person_lifts_it_and_what_was_is_forgotten():
    world = World()
    world.apply(record(JOINED, BAD, sequence=1, kind="agent", key=BAD))
    for number in range(ENOUGH):
        world.doubts.note_success(built(number, GOOD, (BAD, "upload")))
    (row,) = agent_rows(world, (), lambda *_: 0.0, 0.0)
    assert (row.status, len(row.evidence)) == ("alive", ENOUGH)
    world.apply(record(e.AgentQuarantined(("upload",)), sequence=2, kind="agent", key=BAD))
    (row,) = agent_rows(world, (), lambda *_: 0.0, 0.0)
    assert (row.status, row.evidence) == ("set aside", ("upload",))
    world.apply(record(e.QuarantineLifted(), "operator-ann", sequence=3, kind="agent", key=BAD))
    assert world.agent(BAD).quarantined == ()
    assert world.doubts.against(BAD) == ()
    assert world.ignored == 0
    assert evolve_agent(agent(BAD), record(e.QuarantineLifted(), "operator-ann", kind="agent", key=BAD)).ignored == 1
