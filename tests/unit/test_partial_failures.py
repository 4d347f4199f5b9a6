"""What is left of a run that goes on after failures."""

import json

from wheelfleet_coordinator.core.graph import Graph
from wheelfleet_coordinator.core.graph_file import ParsedEdge, ParsedGraph, ParsedNode
from wheelfleet_coordinator.core.node_result import NodeResult
from wheelfleet_coordinator.core.partial import (
    failed_keys,
    failures_of_test_mode,
    file_of_test_mode,
    partial_failures,
    without,
)
from wheelfleet_shared.core import events as e
from wheelfleet_shared.names import GraphId, NodeKey, RunId, TargetId

RUN, TARGET = RunId("r1"), TargetId("cp311-linux_x86_64")


def node(name: str, *needs: str) -> ParsedNode:
    edges = tuple(ParsedEdge(f"{need}==1", "install", need) for need in needs)
    return ParsedNode("", pre_built=False, version="1", canonicalized_name=name, edges=edges)


def failed(name: str, failure: e.Failure | None = None, chain: tuple[str, ...] = ()) -> NodeResult:
    return NodeResult(NodeKey(name, "1"), "failed", "", failure=failure, chain=chain)


def unresolved(*requirements: str) -> Graph:
    graph = Graph(GraphId("r1.t"), RUN, TARGET)
    for requirement in requirements:
        item = e.RequirementUnresolvable(RUN, TARGET, None, "toplevel", requirement, "no version")
        graph.unresolvable.setdefault(object(), []).append(item)  # type: ignore[call-overload]
    return graph


def test_what_failed_goes_with_whatever_only_it_led_to():
    graph = ParsedGraph(
        {
            "": node("", "a", "b"),
            "a==1": node("a", "c", "d"),
            "b==1": node("b", "c"),
            "c==1": node("c"),
            "d==1": node("d"),
        }
    )
    left = without(graph, {"a==1"})
    assert list(left.nodes) == ["", "b==1", "c==1"]
    assert [edge.key for edge in left.nodes[""].edges] == ["b==1"]
    assert without(graph, ()) is graph


def test_nothing_is_told_where_nothing_failed():
    assert partial_failures(unresolved(), []) == ""
    assert failures_of_test_mode(unresolved(), []) == ""
    assert failed_keys([]) == frozenset()


def test_failures_are_told_by_name():
    results = [
        failed("z", e.Failure("source", "fetch", "gone")),
        failed("m", chain=("m==1", "z==1")),
        NodeResult(NodeKey("good", "1"), "built", ""),
        failed("k"),
    ]
    assert failed_keys(results) == {"z==1", "m==1", "k==1"}
    told = json.loads(partial_failures(unresolved("b[x]>=2"), results))["failures"]
    assert [(item["name"], item["version"], item["phase"], item["error_type"], item["message"]) for item in told] == [
        ("b", None, "failed during resolve phase", "PolicyError", "b[x]>=2: no version"),
        ("k==1", "1", "failed during build phase", "PolicyError", "it ended without a result"),
        ("m==1", "1", "failed during build phase", "PolicyError", "it needs z==1"),
        ("z==1", "1", "failed during fetch phase", "SourceError", "gone"),
    ]


def test_test_mode_names_what_failed_and_at_which_step():
    told = json.loads(failures_of_test_mode(unresolved("?"), [failed("z", e.Failure("backend", "build", "no"))]))
    assert told["failures"] == [
        {
            "package": "z",
            "version": "1",
            "exception_type": "BackendError",
            "exception_message": "no",
            "failure_type": "bootstrap",
        },
        {
            "package": "?",
            "version": None,
            "exception_type": "PolicyError",
            "exception_message": "?: no version",
            "failure_type": "resolution",
        },
    ]
    assert file_of_test_mode(0.25) == "test-mode-failures-19700101-000000-250000.json"
