import json

import pytest

from wheelfleet_coordinator.core.comparison import compare, difference_lines
from wheelfleet_coordinator.core.graph_file import ParsedGraph, read_graph


def graph(*edges: tuple[str, str, str]) -> ParsedGraph:
    """Nodes and install edges from (parent, requirement, child); the root is the empty parent."""
    nodes = {"": {"download_url": "", "pre_built": False, "version": "0", "canonicalized_name": "", "edges": []}}
    for parent, requirement, child in edges:
        name, _, version = child.partition("==")
        blank = {"download_url": "", "pre_built": False, "version": version, "canonicalized_name": name, "edges": []}
        nodes.setdefault(child, blank)
        nodes[parent]["edges"].append({"key": child, "req_type": "install", "req": requirement})
    return read_graph(json.dumps(nodes))


def test_equal_graphs_have_no_difference():
    one = graph(("", "a", "a==1"), ("a==1", "b", "b==1"))
    found = compare(one, one)
    assert found.empty
    assert difference_lines(found) == ["no difference"]


@pytest.mark.rule("daily-6")
def test_what_came_went_and_changed_is_told_apart():
    old = graph(("", "a", "a==1"), ("a==1", "b", "b==1"), ("a==1", "c", "c==1"))
    new = graph(("", "a", "a==1"), ("a==1", "b", "b==2"), ("a==1", "d", "d==1"))
    assert difference_lines(compare(old, new)) == ["+ d 1", "- c 1", "~ b 1 → 2"]


def test_edges_between_the_same_nodes_count_as_multisets():
    old = graph(("", "a", "a==1"), ("", "b", "b==1"))
    new = graph(("", "a", "a==1"), ("", "b", "b==1"), ("a==1", "b>0", "b==1"))
    assert compare(old, new).edges_added == ("a==1 -install-> b>0 -> b==1",)
    assert compare(new, old).edges_removed == ("a==1 -install-> b>0 -> b==1",)
