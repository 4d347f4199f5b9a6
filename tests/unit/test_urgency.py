"""What waits for a node, how long builds are thought to take, and both of a run under way."""

import msgspec
import pytest

from event_samples import BY_KIND, EDGE, RUN, TARGET, record
from wheelfleet_coordinator.core.critical_paths import UNCOVERS, CriticalPaths
from wheelfleet_coordinator.core.durations import SOURCE_SECONDS, Durations
from wheelfleet_coordinator.core.estimate import PRIOR
from wheelfleet_coordinator.core.urgency import Urgency
from wheelfleet_coordinator.core.walk import Walk
from wheelfleet_coordinator.core.world import World
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.build import Build, Status
from wheelfleet_shared.names import NodeKey, RunId, graph_id


def key(name: str) -> NodeKey:
    return NodeKey(name, "1")


def keys(*names: str) -> tuple[NodeKey, ...]:
    return tuple(map(key, names))


def seconds(node: NodeKey) -> float:
    return {"slow": 100.0}.get(node.name, 1.0)


def test_chains_of_builds_add_up_and_installing_passes_them_on():
    found = Urgency(seconds)
    found.builds_with(key("app"), keys("tool"))
    found.builds_with(key("tool"), keys("seed"))
    assert (found.behind(key("app")), found.behind(key("tool")), found.behind(key("seed"))) == (0.0, 1.0, 2.0)
    found.installs(key("tool"), keys("base"))
    assert found.behind(key("base")) == 1.0
    assert found.chain(key("seed")) == keys("tool", "app")
    assert found.chain(key("base")) == keys("app")
    assert found.chain(key("app")) == ()


def test_what_is_learnt_later_lengthens_all_chains_before_it():
    found = Urgency(seconds)
    found.builds_with(key("tool"), keys("seed"))
    found.installs(key("tool"), keys("base"))
    found.installs(key("app"), keys("far"))
    found.builds_with(key("slow"), keys("app", "tool"))
    assert found.behind(key("seed")) == 101.0
    assert [found.behind(key(name)) for name in ("base", "far", "tool", "app")] == [100.0] * 4
    assert found.chain(key("seed")) == keys("tool", "slow")


def test_rings_end():
    found = Urgency(seconds)
    found.installs(key("a"), keys("b"))
    found.installs(key("b"), keys("a"))
    found.builds_with(key("app"), keys("a"))
    assert found.behind(key("a")) == found.behind(key("b")) == 1.0
    found.builds_with(key("c"), keys("d"))
    found.builds_with(key("d"), keys("c"))
    assert found.behind(key("d")) == 1.0


def made(name: str, wall: float, agent: str = "agent-a1", expectation: e.Expectation = "pure") -> Build:
    plan = msgspec.structs.replace(BY_KIND[e.BuildPlanned], goal="wheel", node=key(name), expectation=expectation)
    wheel = msgspec.structs.replace(BY_KIND[e.WheelBuilt], resources=e.Resources(wall))
    return Build(name, Status.SUCCEEDED, plan, wheel=wheel, claims=((1, agent),))  # type: ignore[arg-type]


def test_a_build_takes_what_it_took_before_else_what_its_kind_takes():
    found = Durations()
    assert found.seconds("x", "native") == PRIOR["native"]
    found.note(made("x", 40.0, expectation="native"))
    assert found.seconds("x", "native") == pytest.approx(40.0)
    assert found.seconds("y", "native") == pytest.approx((40.0 + PRIOR["native"]) / 2)
    assert found.seconds("y", "pure") == PRIOR["pure"]
    for _ in range(9):
        found.note(made("x", 10.0, expectation="native"))
    assert found.seconds("x", "native") == pytest.approx(10.0, rel=0.1)


def test_what_tells_no_time_teaches_nothing():
    found = Durations()
    found.note(made("x", 0.0))
    found.note(Build("b", Status.SUCCEEDED))  # type: ignore[arg-type]
    taken_over = msgspec.structs.replace(made("x", 1.0), wheel=None)
    found.note(taken_over)
    assert found.learnt == 0


def test_an_agent_is_as_fast_as_it_builds_what_others_built():
    found = Durations()
    for number in range(20):
        found.note(made(f"d{number}", 10.0, "agent-quick"))
        found.note(made(f"d{number}", 40.0, "agent-slow"))
    assert found.speed("agent-quick") == found.speed("agent-new") == 1.0
    assert found.speed("agent-slow") == pytest.approx(0.25, rel=0.3)
    assert found.seconds("d19", "pure") == pytest.approx(10.0, rel=0.3)


class Bootstrap:
    """A run of one target, as far as events tell of it."""

    def __init__(self) -> None:
        self.world, self._sequence = World(), 0
        self.walk = Walk(self.world)
        self.walk.start()
        self.paths = CriticalPaths(self.world, self.walk)
        submitted = msgspec.structs.replace(BY_KIND[e.RunSubmitted], run=RUN, targets=(TARGET,))
        self.say("run", RUN, submitted, "operator-ann")
        self.say("target", TARGET, BY_KIND[e.TargetDefined], "agent-a1")

    def say(self, kind: str, name: str, event: e.Event, actor: str = "coordinator-main") -> None:
        self._sequence += 1
        recorded = record(event, actor, sequence=self._sequence, kind=kind, key=name)
        self.walk.note(recorded, self.world.apply(recorded))

    def resolve(self, parent: str | None, stage: e.Stage, *children: str) -> None:
        kind: e.EdgeKind = {"toplevel": "toplevel", "install": "install"}.get(stage, "build-system")  # type: ignore[assignment]
        edges = tuple(
            msgspec.structs.replace(EDGE, requirement=child, kind=kind, node=key(child), expectation="pure")
            for child in children
        )
        node = key(parent) if parent else None
        self.say("graph", graph_id(RUN, TARGET), e.RequirementsResolved(RUN, TARGET, node, stage, edges, ()))
        self.walk.instructions()

    def build_of(self, name: str, goal: e.Goal = "wheel") -> Build:
        for build, places in self.walk._by_build._places.items():
            if (graph_id(RUN, TARGET), key(name)) in places:
                plan = msgspec.structs.replace(
                    BY_KIND[e.BuildPlanned], goal=goal, node=key(name), expectation="pure", target=TARGET
                )
                return Build(build, Status.QUEUED, plan)
        raise AssertionError(name)


def test_a_queued_build_is_as_urgent_as_the_chain_it_begins():
    run = Bootstrap()
    run.resolve(None, "toplevel", "app", "leaf")
    run.resolve("app", "build-system", "tool")
    run.paths.refresh()
    pure = PRIOR["pure"]
    assert run.paths.seconds(run.build_of("leaf")) == pure
    assert run.paths.seconds(run.build_of("tool")) == 2 * pure
    assert run.paths.seconds(run.build_of("leaf", "source")) == pure + SOURCE_SECONDS + UNCOVERS
    assert run.paths.seconds(Build("unknown")) == 0.0  # type: ignore[arg-type]
    run.resolve("tool", "build-system", "seed")
    assert run.paths.seconds(run.build_of("seed")) == pure, "nothing is taken in before it is asked for"
    run.paths.refresh()
    assert run.paths.seconds(run.build_of("seed")) == 3 * pure
    assert run.paths.chain(run.build_of("seed")) == keys("tool", "app")
    assert run.paths.chain(Build("unknown")) == ()  # type: ignore[arg-type]


def test_what_was_measured_meanwhile_is_thought_anew_and_ended_runs_are_forgotten():
    run = Bootstrap()
    run.resolve(None, "toplevel", "app")
    run.resolve("app", "build-system", "tool")
    run.paths.refresh()
    run.world.durations.note(made("app", 30.0))
    run.paths.refresh()
    assert run.paths.seconds(run.build_of("tool")) > 30.0
    build = run.build_of("tool")
    run.say("run", RUN, msgspec.structs.replace(BY_KIND[e.RunFinished]))
    run.paths.refresh()
    assert run.paths.seconds(build) < 30.0
    assert run.world.runs[RunId(RUN)].finished is not None
