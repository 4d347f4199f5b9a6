"""Graphs of earlier runs: look-ups, and what is no graph."""

import json

import pytest
from packaging.version import Version

from wheelfleet_coordinator.core.previous_graph import PreviousGraph
from wheelfleet_shared.errors import InputError


def node(name, version, *edges, pre_built=False):
    return {
        "download_url": f"https://h.example/{name}-{version}.tar.gz",
        "pre_built": pre_built,
        "version": version,
        "canonicalized_name": name,
        "constraint": None,
        "edges": [{"key": key, "req_type": kind, "req": requirement} for key, kind, requirement in edges],
    }


GRAPH = {
    "": node("", "0", ("app==1.0", "toplevel", "app")),
    "app==1.0": node("app", "1.0", ("lib==2.0", "install", "Lib>=1"), ("app==0.9", "build-system", "app<1")),
    "app==0.9": node("app", "0.9", ("lib==1.0", "install", "lib<2"), ("lib==1.0", "build-system", "lib")),
    "lib==2.0": node("lib", "2.0"),
    "lib==1.0": node("lib", "1.0", ("app==1.0", "install", "app"), pre_built=True),
    "stray==1.0": node("stray", "1.0"),
}


def parse(graph):
    return PreviousGraph.parse(json.dumps(graph).encode(), "graph.json")


def versions(found):
    return {str(known.version) for known in found}


def test_edges_are_found_by_the_parents_name_at_any_version_and_by_kind():
    graph = parse(GRAPH)
    assert versions(graph.required("App", "LIB", "install")) == {"1.0", "2.0"}
    assert versions(graph.required("app", "lib", "build-system")) == {"1.0"}
    assert versions(graph.required("lib", "lib", "install")) == set()
    assert versions(graph.required(None, "app", "toplevel")) == {"1.0"}


def test_nodes_by_name_are_those_that_the_root_reaches():
    graph = parse(GRAPH)
    assert versions(graph.versions_of("lib")) == {"1.0", "2.0"}
    assert not graph.versions_of("stray")
    assert len(graph) == 4
    (old,) = graph.required("app", "lib", "build-system")
    assert (old.version, old.pre_built, old.url) == (Version("1.0"), True, "https://h.example/lib-1.0.tar.gz")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"not json", "no graph"),
        (b"[]", "no graph"),
        (b"{}", "no root"),
        (json.dumps({"": node("", "0", ("a==1", "toplevel", "a"))}).encode(), "a==1"),
        (json.dumps({"": node("", "0", ("a==1", "sideways", "a")), "a==1": node("a", "1")}).encode(), "sideways"),
        (json.dumps({"": node("", "0", ("a==1", "toplevel", "a b")), "a==1": node("a", "1")}).encode(), "no graph"),
        (json.dumps({"": node("", "0", ("a==x", "toplevel", "a")), "a==x": node("a", "x")}).encode(), "no graph"),
        (json.dumps([{"req": "a", "dist": "a", "version": "1"}]).encode(), "no graph"),
    ],
)
def test_what_is_no_graph_is_refused(content, words):
    with pytest.raises(InputError, match=r"old/graph\.json") as caught:
        PreviousGraph.parse(content, "old/graph.json")
    assert words in caught.value.what
