"""The graph of a run, folded; and whether what a build needs is all there."""

import msgspec
import pytest

from event_samples import BY_KIND, EDGE, RUN, TARGET, record
from wheelfleet_coordinator.core.alternatives import counting_arcs
from wheelfleet_coordinator.core.fallback import falls_back
from wheelfleet_coordinator.core.graph import Graph, StageId, Visit, closure
from wheelfleet_coordinator.core.readiness import Readiness
from wheelfleet_shared.core import events as e
from wheelfleet_shared.names import NodeKey, graph_id


def key(name: str) -> NodeKey:
    return NodeKey(name, "1")


def edge(requirement: str, kind: e.EdgeKind) -> e.Edge:
    return msgspec.structs.replace(EDGE, requirement=requirement, kind=kind, node=key(requirement.partition("[")[0]))


class Grown:
    """A graph to which each line adds a stage."""

    def __init__(self) -> None:
        self.graph = Graph(graph_id(RUN, TARGET), RUN, TARGET)
        self._sequence = 0

    def resolve(
        self,
        parent: str | None,
        stage: e.Stage,
        *children: str,
        kind: e.EdgeKind = "install",
        extras: tuple[str, ...] = (),
    ) -> set[NodeKey | None]:
        edges = tuple(edge(child, kind) for child in children)
        node = key(parent) if parent else None
        return self.say(e.RequirementsResolved(RUN, TARGET, node, stage, edges, extras))

    def say(self, event: e.Event, actor: str = "coordinator-main") -> set[NodeKey | None]:
        self._sequence += 1
        return self.graph.apply(record(event, actor, sequence=self._sequence, kind="graph", key=self.graph.id))


def grown() -> Grown:
    """app builds with tool, which installs base[x]; base[x] installs tool again."""
    found = Grown()
    found.resolve(None, "toplevel", "app", kind="toplevel")
    found.resolve("app", "build-system", "tool", kind="build-system")
    found.resolve("app", "hook")
    found.resolve("tool", "install", "base[x]")
    found.resolve("base", "install", "tool", extras=("x",))
    return found


def test_a_stage_is_resolved_once_and_extras_tell_install_stages_apart():
    found = grown()
    assert found.resolve("app", "hook", "tool", kind="build-backend") == set()
    assert found.graph.ignored == 1
    assert found.graph.resolved(key("base"), "install", ("x",))
    assert not found.graph.resolved(key("base"), "install")
    assert found.resolve("base", "install") == {key("base")}
    assert found.graph.ignored == 1


def test_what_builds_need_is_needed_as_a_wheel():
    assert grown().graph.wheel_needed == {key("tool"), key("base")}


def test_need_spreads_to_what_was_installed_before():
    found = Grown()
    found.resolve(None, "toplevel", "app", "tool", kind="toplevel")
    found.resolve("tool", "install", "base")
    assert found.graph.wheel_needed == set()
    assert found.resolve("app", "build-system", "tool", kind="build-system") == {key("app"), key("tool"), key("base")}


def test_refused_and_foreign_events_change_nothing():
    found = grown()
    failure = BY_KIND[e.RequirementUnresolvable]
    assert found.say(failure) == {None}
    assert found.say(failure) == set()
    assert found.say(failure, "agent-a1") == set()
    assert found.say(BY_KIND[e.BuildQueued]) == set()
    assert found.graph.ignored == 3
    assert found.graph.failures_of(None, "toplevel") == ["pbr>99: no such version"]
    assert found.graph.failures_of(key("app"), "hook") == []


@pytest.mark.rule("cycle-3")
def test_the_closure_of_a_build_goes_round_circles_once():
    graph = grown().graph
    visits = closure(graph, graph.build_arcs(key("app")))
    assert visits == {Visit(key("tool"), ()): None, Visit(key("base"), ("x",)): Visit(key("tool"), ())}
    assert graph.install_arcs(Visit(key("app"), ())) is None
    assert list(graph.install_arcs_of_node(key("nowhere"))) == []


def unmet(graph: Graph, readiness: Readiness, *published: str) -> list[str]:
    chain = readiness.first_unmet(graph, graph.build_arcs(key("app")), {key(name) for name in published}.__contains__)
    return [visit.node.name for visit in chain]


@pytest.mark.rule("lock-2")
def test_the_first_unmet_visit_is_the_witness():
    graph, readiness = grown().graph, Readiness()
    assert unmet(graph, readiness) == ["tool"]
    assert unmet(graph, readiness, "tool") == ["tool", "base"]
    assert unmet(graph, readiness, "tool", "base") == []


def test_what_is_met_stays_met_until_a_wheel_goes_away():
    graph, readiness = grown().graph, Readiness()
    unmet(graph, readiness, "tool", "base")
    assert unmet(graph, readiness) == []
    readiness.forget()
    assert unmet(graph, readiness) == ["tool"]


def test_what_is_met_in_part_of_a_circle_is_not_remembered_too_soon():
    graph, readiness = grown().graph, Readiness()
    assert unmet(graph, readiness, "tool") == ["tool", "base"]
    assert unmet(graph, readiness, "base") == ["tool"]


@pytest.mark.rule("lock-2")
def test_unresolved_and_broken_installs_are_unmet():
    found = Grown()
    found.resolve(None, "toplevel", "app", kind="toplevel")
    found.resolve("app", "build-system", "tool", kind="build-system")
    assert unmet(found.graph, Readiness(), "tool") == ["tool"]
    found.say(e.RequirementUnresolvable(RUN, TARGET, key("tool"), "install", "base>9", "no such version"))
    found.resolve("tool", "install")
    assert unmet(found.graph, Readiness(), "tool") == ["tool"]
    assert StageId(key("tool"), "install") in found.graph.unresolvable


def test_upstreams_wheel_takes_the_place_of_a_node_once():
    found = grown()
    wheel = msgspec.structs.replace(edge("tool", "build-system"), source_type="prebuilt", source_name="tool-1.whl")
    assert found.say(e.PrebuiltChosen(RUN, TARGET, key("tool"), wheel)) == {key("tool")}
    assert found.graph.nodes[key("tool")].first is wheel
    assert not falls_back(found.graph, key("tool"))
    assert found.say(e.PrebuiltChosen(RUN, TARGET, key("app"), None)) == {key("app")}
    assert found.graph.nodes[key("app")].first.source_type == "sdist"
    assert not falls_back(found.graph, key("app"))
    assert falls_back(found.graph, key("base"))
    for again in ("tool", "unknown"):
        assert found.say(e.PrebuiltChosen(RUN, TARGET, key(again), None)) == set()
    assert found.graph.ignored == 2


def test_of_several_versions_for_a_requirement_the_newest_counts_that_did_not_fail():
    found = Grown()
    versions = [msgspec.structs.replace(edge("tool", "install"), node=NodeKey("tool", text)) for text in "321"]
    found.say(e.RequirementsResolved(RUN, TARGET, None, "toplevel", (*versions, edge("app", "install"))))
    arcs = found.graph.stages[StageId(None, "toplevel")]

    def counting(*failed: str) -> list[str]:
        return [str(arc.edge.node) for arc in counting_arcs(found.graph, arcs, lambda v: v.node.version in failed)]

    assert found.graph.has_alternatives
    assert counting() == ["tool==3", "app==1"]
    assert counting("3") == ["tool==2", "app==1"]
    assert counting("3", "2", "1") == ["tool==3", "app==1"]
    assert not grown().graph.has_alternatives
