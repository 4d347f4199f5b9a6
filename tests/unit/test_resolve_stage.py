"""Stages with more edges than an event holds: split, and resolved only as a whole."""

from wheelfleet_coordinator.core.graph import Graph
from wheelfleet_coordinator.core.instructions import Resolve
from wheelfleet_coordinator.core.resolve_stage import EDGES_AN_EVENT, stage_events
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.envelope import Aggregate, Envelope, Recorded
from wheelfleet_shared.names import Actor, GraphId, NodeKey, RunId, TargetId

RESOLVE = Resolve(GraphId("g"), None, "toplevel", (), ())


def new_graph() -> Graph:
    return Graph(GraphId("g"), RunId("r"), TargetId("t"))


def edges(count: int) -> list[e.Edge]:
    return [e.Edge("toplevel", f"d{n}", NodeKey(f"d{n}", "1"), f"u{n}", f"d{n}-1.tar.gz") for n in range(count)]


def recorded(sequence: int, event: e.Event) -> Recorded:
    return Recorded(sequence, Aggregate("graph", "g"), Actor("coordinator-c"), Envelope(str(sequence), 0.0, event))


def test_a_stage_counts_once_its_last_event_is_folded() -> None:
    graph = new_graph()
    events = stage_events(graph, RESOLVE, edges(2 * EDGES_AN_EVENT + 1))
    assert [event.more for event in events] == [True, True, False]
    for sequence, event in enumerate(events[:-1], 1):
        assert graph.apply(recorded(sequence, event)) == set()
        assert not graph.resolved(None, "toplevel")
    touched = graph.apply(recorded(3, events[-1]))
    assert len(touched) == 2 * EDGES_AN_EVENT + 2
    assert len(graph.nodes) == 2 * EDGES_AN_EVENT + 1
    assert graph.ignored == 0


def test_a_stage_without_edges_is_one_event() -> None:
    graph = new_graph()
    (event,) = stage_events(graph, RESOLVE, [])
    graph.apply(recorded(1, event))
    assert graph.resolved(None, "toplevel")


def test_a_stage_is_resolved_once() -> None:
    graph = new_graph()
    (event,) = stage_events(graph, RESOLVE, edges(1))
    graph.apply(recorded(1, event))
    assert graph.apply(recorded(2, event)) == set()
    assert graph.ignored == 1
