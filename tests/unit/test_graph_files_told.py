"""What is told of graph files beyond what fromager's recorded answers cover."""

import json
import re

import pytest

from tiny_graphs import graph, graph_text
from wheelfleet_coordinator.core.best_fit import suggestions
from wheelfleet_coordinator.core.customising import Customised
from wheelfleet_coordinator.core.duplicates import duplicates
from wheelfleet_coordinator.core.graph_dot import dot_text
from wheelfleet_coordinator.core.graph_reading import read_linked_graph
from wheelfleet_coordinator.core.graph_rounds import build_rounds, round_lines
from wheelfleet_coordinator.core.graph_subset import subset
from wheelfleet_coordinator.core.graph_why import TO_THE_ROOT, why_steps
from wheelfleet_coordinator.core.old_graph import migrated
from wheelfleet_coordinator.core.overridden import Overridden, overridden
from wheelfleet_shared.core.bundle import Customisation
from wheelfleet_shared.errors import InputError

CYCLE = {"a_1": "b_1 install b", "b_1": "a_1 install a>0, c_1 build-system c", "c_1": ""}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[]", "graph.json: this is no graph file"),
        (b"{}", "graph.json: this graph file has no root"),
        (graph_text(a_1="b_1 install b"), "an edge from a==1 to b==1"),
        (graph_text(a_1="a_1 install a=="), "graph.json: this is no graph file: Expected"),
        (graph_text(a_x=""), "Invalid version: 'x'"),
    ],
)
def test_what_is_no_graph_is_refused_with_its_name(content, words):
    with pytest.raises(InputError, match=re.escape(words)):
        read_linked_graph(content, "graph.json")


def test_what_the_root_does_not_reach_is_left_out():
    assert set(graph(a_1="", stray_1="a_1 install a").nodes) == {"", "a==1"}


def test_a_chain_ends_where_it_comes_back_to_itself():
    steps = list(why_steps(graph(**CYCLE), "c==1", TO_THE_ROOT, ()))
    assert [(step.depth, step.what, step.key) for step in steps] == [
        (0, "node", "c==1"),
        (0, "requirement", "c==1"),
        (1, "requirement", "b==1"),
        (2, "toplevel", "a==1"),
        (2, "requirement", "a==1"),
        (3, "cycle", "b==1"),
    ]


def test_a_chain_as_long_as_a_graph_can_be_is_told():
    nodes = {f"n{number}_1": f"n{number + 1}_1 install n{number + 1}" for number in range(3000)} | {"n3000_1": ""}
    deepest = list(why_steps(graph(**nodes), "n3000==1", TO_THE_ROOT, ()))[-1]
    assert (deepest.depth, deepest.what) == (2999 + 1, "toplevel")


def test_the_usable_version_suits_all_consumers():
    (found,) = duplicates(
        graph(a_1="c_1 install c<2, b_1 install b, c_2 toplevel c", b_1="c_2 install c", c_1="", c_2="")
    )
    assert (found.name, found.usable) == ("c", "1")
    assert [(row.version, [demand.parents for demand in row.demands]) for row in found.versions] == [
        ("1", [("a==1",)]),
        ("2", [("b==1",)]),
    ]


def test_a_part_without_its_users_is_required_by_the_run():
    part = subset(graph(**CYCLE), "C", dependents=False)
    assert [(link.child, str(link.requirement)) for link in part.out_of("")] == [("c==1", "c")]


@pytest.mark.parametrize("version", [None, "9"])
def test_a_part_of_what_is_not_there_is_refused(version):
    from packaging.version import Version

    with pytest.raises(InputError, match="not in this graph"):
        subset(graph(a_1=""), "nope" if version is None else "a", version and Version(version))


def test_exclusive_builds_come_last_and_those_that_others_need_first():
    found = build_rounds(
        graph(
            a_1="big_1 install big, b_1 install b, huge_1 install huge",
            b_1="huge_1 build-system huge",
            big_1="",
            huge_1="",
        ),
        {"big", "huge"},
    )
    assert found.rounds == (("a==1",), ("huge==1",), ("b==1",), ("big==1",))
    assert "Exclusive builds (2):" in round_lines(found)


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ({"a_1": "b_1 build-system b", "b_1": "a_1 build-system a"}, "each needs the next one for it: "),
        ({"a_1": "b_1 build-system b", "b_1": "a_1 install a"}, "what a==1 needs to be built installs a==1 itself"),
    ],
)
def test_builds_that_need_one_another_are_named(nodes, words):
    with pytest.raises(InputError, match=words):
        build_rounds(graph(**nodes))


def test_only_what_is_changed_is_drawn_with_edges_across_the_rest():
    nodes = graph(
        a_1="b_1 install b>1, c_1 build-system c", b_1="d_1 install d", c_1="d_1 install d>2", d_1="b_1 install b"
    )
    drawn = dot_text(nodes, Overridden(settings=frozenset({"a"}), plugins=frozenset({"d"})), changed_only=True)
    assert [line.strip() for line in drawn.splitlines() if "->" in line] == [
        'node1 -> node2 [labeltooltip="b>1"]',
        'node2 -> node2 [labeltooltip="b"]',
    ]
    installed = dot_text(nodes, Overridden(settings=frozenset({"a", "d"})), changed_only=True, install_only=True)
    assert 'node1 -> node2 [labeltooltip="b>1"]' in installed


@pytest.mark.parametrize(
    ("by", "shape"),
    [
        (Overridden(plugins=frozenset({"a"})), "trapezium"),
        (Overridden(plugins=frozenset({"a"}), patches=frozenset({"a"})), "tripleoctagon"),
        (Overridden(patches=frozenset({"a"})), "note"),
        (Overridden(settings=frozenset({"a"})), "box"),
        (Overridden(), "oval"),
    ],
)
def test_shapes_tell_what_changes_a_build(by, shape):
    assert f'label="a==1" style="filled,bold" color=black fillcolor=white fontcolor=black shape={shape}' in dot_text(
        graph(a_1=""), by
    )


def test_names_of_what_is_changed_are_normal():
    files = {
        "settings/flit_core.yaml": b"build_options:\n  exclusive_build: true\n",
        "settings/plain.yaml": b"build_dir: src\n",
        "patches/zope_interface-7.2/1.patch": b"",
    }
    found = overridden(Customised.parse(Customisation("cpu", files)), ["Torch_Vision"])
    assert found == Overridden(
        frozenset({"flit-core", "plain"}),
        frozenset({"zope-interface"}),
        frozenset({"torch-vision"}),
        frozenset({"flit-core"}),
    )
    assert found.changes("torch-vision")
    assert not found.changes("torch")


def test_the_best_collection_needs_the_fewest_new_ones_then_comes_first_by_name():
    onboarding = graph(a_1="b_1 install b, c_1 build-system c", b_1="a_1 install a", c_1="")
    (found,) = suggestions(onboarding, {"z": {"a", "b"}, "m": {"b", "c"}, "none": set()})
    assert (found.best_fit, found.new_packages, found.coverage_percentage) == ("m", 1, 66.7)
    assert [fit.collection for fit in found.all_collections] == ["m", "z", "none"]


def test_a_requirement_that_stands_twice_is_placed_once():
    document = json.loads(graph_text(a_1=""))
    document[""]["edges"] *= 2
    assert len(suggestions(read_linked_graph(json.dumps(document).encode(), "g"), {"one": set()})) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (graph_text(a_1=""), "in today's format already"),
        (b"[]", "no graph file of the old format"),
        (b'{"": [["toplevel", "a", "x", "a"]]}', "Invalid version"),
        (b'{"": [["sometimes", "a", "1", "a"]]}', "no graph file of the old format"),
    ],
)
def test_what_is_no_old_graph_is_refused(content, words):
    with pytest.raises(InputError, match=words):
        migrated(content, "old.json")
