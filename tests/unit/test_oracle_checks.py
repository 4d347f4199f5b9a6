"""The checks that compare with fromager see what they are there to see."""

import json

import pytest

from graph_difference import compare_graphs
from order_check import order_faults


def node(name, *edges, url=""):
    rows = [{"key": key, "req_type": kind, "req": key.partition("==")[0]} for key, kind in edges]
    return {
        "download_url": url,
        "pre_built": False,
        "version": "1",
        "canonicalized_name": name,
        "constraint": None,
        "edges": rows,
    }


def graph(**nodes):
    root = node("", *((f"{name}==1", "toplevel") for name in nodes))
    return json.dumps({"": root, **{f"{name}==1": node(name, *edges) for name, edges in nodes.items()}})


def order(*names):
    return json.dumps([{"dist": name, "version": "1"} for name in names])


# a is built with b, which installs c; c and d install each other; d installs e.
GRAPH = graph(
    a=[("b==1", "build-system")],
    b=[("c==1", "install")],
    c=[("d==1", "install")],
    d=[("c==1", "install"), ("e==1", "install")],
    e=[],
)


@pytest.mark.parametrize("names", ["ecdba", "edcba"])
def test_orders_that_respect_the_graph_have_no_faults(names):
    assert order_faults(order(*names), GRAPH) == []


@pytest.mark.parametrize(
    ("names", "fault"),
    [
        ("ecdab", "a==1 comes before b==1, its build requirement"),
        ("edcab", "a==1 comes before b==1, its build requirement"),
        ("ebcda", "b==1 comes before c==1, its requirement"),
        ("cdeba", "d==1 comes before e==1, its requirement"),
        ("bacde", "a==1 comes before d==1, its build requirement"),
        ("ecdb", "a==1 is in one file only"),
        ("ecdbaa", "a==1 is there 2 times"),
    ],
)
def test_an_entry_that_comes_too_early_or_is_missing_is_a_fault(names, fault):
    assert fault in order_faults(order(*names), GRAPH)


def test_graphs_that_differ_in_the_order_of_the_file_and_in_the_host_are_the_same():
    left, right = json.loads(GRAPH), dict(reversed(json.loads(GRAPH).items()))
    left["a==1"]["download_url"] = "https://one.invalid/a-1.tar.gz"
    right["a==1"]["download_url"] = "https://two.invalid/a-1.tar.gz"
    compared = compare_graphs(json.dumps(left), json.dumps(right))
    assert compared == (5, 10, ())


@pytest.mark.parametrize(
    ("key", "value"),
    [("pre_built", True), ("constraint", "a<2"), ("version", "1.0"), ("download_url", "https://one.invalid/a-1.zip")],
)
def test_every_fact_of_a_node_counts(key, value):
    changed = json.loads(GRAPH)
    changed["a==1"][key] = value
    assert len(compare_graphs(json.dumps(changed), GRAPH).differences) == 2


def test_edges_are_counted_and_compared_with_kind_and_text():
    changed = json.loads(GRAPH)
    changed["b==1"]["edges"] *= 2
    changed["d==1"]["edges"][1]["req_type"] = "build-sdist"
    assert compare_graphs(json.dumps(changed), GRAPH).differences == (
        "edge only here, 1 times: b==1 | c==1 | install | c",
        "edge only here, 1 times: d==1 | e==1 | build-sdist | e",
        "edge only fromager's, 1 times: d==1 | e==1 | install | e",
    )
