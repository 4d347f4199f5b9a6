"""The queue of a coordinator, kept in order; and the slots of its fleet at one moment."""

import msgspec
import pytest

from event_samples import BY_KIND, RUN, TARGET
from wheelfleet_coordinator.app.coordinator import State, new_state
from wheelfleet_coordinator.app.ranking import KEPT, Ranking
from wheelfleet_coordinator.core.fleet_now import ask_of, faster_than
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.build import Build, Status
from wheelfleet_shared.core.recipe import Needs
from wheelfleet_shared.core.run import Agent, new_run
from wheelfleet_shared.names import BuildId, NodeKey, RunId

YOUNGER = RunId("r9")
HOUR = 3600.0


class Standing:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


class Queue:
    """A world in which builds are queued by hand."""

    def __init__(self) -> None:
        self.state: State = new_state()
        self.clock = Standing()
        self.ranking = Ranking(self.state, self.clock)
        for sequence, run in enumerate((RUN, YOUNGER), 1):
            submitted = msgspec.structs.replace(BY_KIND[e.RunSubmitted], run=run, targets=())
            self.state.world.runs[run] = msgspec.structs.replace(new_run(run), submitted=submitted)
            self.state.world.submitted_at_sequence[run] = sequence

    def put(self, name: str, status: Status = Status.QUEUED, run: RunId = RUN, **facts: object) -> Build:
        world = self.state.world
        world.through += 1
        plan = msgspec.structs.replace(BY_KIND[e.BuildPlanned], goal="wheel", node=NodeKey(name, "1"))
        build = Build(BuildId(name), status, plan, wanted_by=(run,))
        build = msgspec.structs.replace(build, **facts)
        world.builds[build.id] = build
        for found in world.by_status.values():
            found.pop(build.id, None)
        world.by_status[status][build.id] = None
        world.queued_at_sequence[build.id], world.queued_at[build.id] = world.through, self.clock.at
        return build

    def order(self, *held: Build) -> list[str]:
        return [candidacy.build.id for candidacy in self.ranking.best_first(held)]


def test_the_order_takes_in_what_is_queued_and_leaves_out_what_is_not_any_more():
    queue = Queue()
    queue.put("a")
    queue.put("c")
    assert queue.order() == ["a", "c"]
    queue.put("d")
    queue.put("a", Status.CLAIMED)
    assert queue.order() == ["c", "d"]
    queue.put("c", attempts=1)
    assert queue.order()[0] == "c"
    queue.clock.at += KEPT
    assert queue.order() == ["d", "c"]


def test_builds_that_take_long_go_first_once_that_is_known():
    queue = Queue()
    queue.put("a")
    queue.put("slow")
    assert queue.order() == ["a", "slow"]
    wheel = msgspec.structs.replace(BY_KIND[e.WheelBuilt], resources=e.Resources(90.0))
    queue.state.world.durations.note(queue.put("slow", Status.SUCCEEDED, wheel=wheel))
    long = queue.put("slow")
    assert queue.state.world.durations.of(long) == 90.0
    assert queue.order()[:2] == ["slow", "a"]


def test_the_run_that_has_fewer_slots_goes_first_but_for_what_waited_for_hours():
    queue = Queue()
    queue.put("old")
    queue.put("new", run=YOUNGER)
    held = queue.put("at work", Status.CLAIMED)
    assert queue.order() == ["old", "new"]
    assert queue.order(held) == ["new", "old"]
    queue.clock.at += HOUR
    queue.put("newest", run=YOUNGER)
    assert queue.order(held) == ["new", "old", "newest"]
    queue.put("nobody's", run=RunId("unknown"))
    assert queue.order()[-1] == "nobody's"


def joined(name: str, **facts: object) -> Agent:
    event = msgspec.structs.replace(BY_KIND[e.AgentJoined], targets=(TARGET,), slots=1)
    return Agent(name, msgspec.structs.replace(event, **facts))


@pytest.fixture
def unlike() -> Queue:
    """agent-slow needs four times as long as agent-quick for each of ten builds."""
    queue = Queue()
    world = queue.state.world
    for number in range(10):
        for agent, wall in (("agent-quick", 10.0), ("agent-slow", 40.0)):
            wheel = msgspec.structs.replace(BY_KIND[e.WheelBuilt], resources=e.Resources(wall))
            world.durations.note(queue.put(f"d{number}", Status.SUCCEEDED, wheel=wheel, claims=((1, agent),)))
    for name in ("agent-quick", "agent-slow"):
        world.agents[name] = joined(name)
    return queue


def test_slots_of_faster_agents_are_free_when_their_builds_should_end(unlike):
    world, build = unlike.state.world, unlike.put("d3")
    target = msgspec.structs.replace(build.plan, host=TARGET)
    build = msgspec.structs.replace(build, plan=target)

    def left(at: float = 0.0, waiting: tuple[str, ...] = ()) -> str:
        elsewhere = [(world.agents[name], ask_of(world.agents[name])) for name in waiting]
        faster = faster_than(world, "agent-slow", elsewhere, at)
        return faster.take(build) if faster is not None else "all alike"

    assert left() == ""
    assert left(waiting=("agent-quick",)) == "agent-quick"
    unlike.put("d1", Status.CLAIMED, owner="agent-quick", claimed_at=100.0)
    assert left(at=105.0) == "agent-quick"
    assert left(at=700.0) == "", "that build hangs"
    unlike.put("d1", Status.CLAIMED, owner="agent-gone", claimed_at=100.0)
    assert left(at=105.0) == ""
    alone = msgspec.structs.replace(build.plan, needs=Needs(exclusive=True))
    unlike.put("d2", Status.CLAIMED, owner="agent-quick", claimed_at=0.0, plan=alone)
    assert left(at=700.0, waiting=("agent-quick",)) == ""
    assert faster_than(Queue().state.world, "agent-slow", (), 0.0) is None
    assert ask_of(Agent("agent-new")) is None
