"""constraints.txt: the newest version that all consumers can use, or an explanation."""

from wheelfleet_coordinator.core.constraints_file import Consumer, constraints_file
from wheelfleet_coordinator.core.graph_file import ParsedEdge, ParsedGraph, ParsedNode


def graph_of(**nodes):
    """Key (``_`` for the root) → edges as (child, requirement[, kind])."""

    def node(key, edges):
        name, _, version = key.partition("==")
        kind = "install" if key else "toplevel"
        parsed = tuple(ParsedEdge(edge[0], (*edge, kind)[2], edge[1]) for edge in edges)
        return ParsedNode("", False, version or "0", name, None, parsed)

    keys = {key.replace("__", "==").removeprefix("_").replace("_", "."): edges for key, edges in nodes.items()}
    return ParsedGraph({key: node(key, edges) for key, edges in keys.items()})


def test_single_versions_are_listed_by_name():
    graph = graph_of(_=[("b==1", "b"), ("a==2", "a")], a__2=[], b__1=[])
    assert constraints_file(graph).text == "a==2\nb==1\n"


def test_build_requirements_are_no_constraints():
    graph = graph_of(_=[("a==1", "a")], a__1=[("flit==1", "flit", "build-system")], flit__1=[])
    assert constraints_file(graph).text == "a==1\n"


def test_the_newest_version_that_all_consumers_can_use_is_chosen_with_a_note():
    graph = graph_of(
        _=[("a==1", "a"), ("b==1", "b")],
        a__1=[("leaf==1.5", "leaf")],
        b__1=[("leaf==1.0", "leaf<1.2")],
        leaf__1_5=[],
        leaf__1_0=[],
    )
    found = constraints_file(graph)
    note = "# NOTE: fromager selected leaf==1.0 from: ['1.0', '1.5']\n"
    assert found.text == f"a==1\nb==1\n{note}leaf==1.0\n"
    assert not found.conflicts


def test_versions_are_compared_as_versions():
    graph = graph_of(
        _=[("a==1", "a"), ("b==1", "b")],
        a__1=[("leaf==1.10", "leaf")],
        b__1=[("leaf==1.9", "leaf>1")],
        leaf__1_10=[],
        leaf__1_9=[],
    )
    assert "leaf==1.10\n" in constraints_file(graph).text
    assert "from: ['1.9', '1.10']" in constraints_file(graph).text


def test_a_conflict_is_explained_and_the_other_lines_are_still_written():
    graph = graph_of(
        _=[("a==1", "a"), ("b==1", "b")],
        a__1=[("leaf==2", "leaf>=2")],
        b__1=[("leaf==1", "leaf<2")],
        leaf__2=[],
        leaf__1=[],
    )
    found = constraints_file(graph)
    assert found.text == "a==1\nb==1\n"
    (conflict,) = found.conflicts
    assert conflict.consumers == (Consumer("a==1", "leaf>=2", "2"), Consumer("b==1", "leaf<2", "1"))
    told = conflict.explanation()
    assert "leaf: no version serves all that require it, of 1, 2" in told
    assert "b==1 requires leaf<2: 1 would do, got 1" in told


def test_install_requirements_decide_and_the_runs_own_only_where_there_are_none():
    """As fromager does: of setuptools==75.8.0 and zope.interface, whose wheel installs the newest setuptools."""
    graph = graph_of(_=[("tool==1", "tool<2"), ("a==1", "a")], a__1=[("tool==2", "tool")], tool__1=[], tool__2=[])
    assert constraints_file(graph).text == "a==1\n# NOTE: fromager selected tool==2 from: ['1', '2']\ntool==2\n"


def test_a_version_that_only_the_run_itself_requires_can_be_chosen():
    graph = graph_of(_=[("tool==2", "tool"), ("a==1", "a")], a__1=[("tool==1", "tool<3")], tool__1=[], tool__2=[])
    assert "\ntool==2\n" in constraints_file(graph).text


def test_two_pins_of_the_run_itself_conflict():
    graph = graph_of(_=[("leaf==1", "leaf==1"), ("leaf==2", "leaf==2")], leaf__1=[], leaf__2=[])
    (conflict,) = constraints_file(graph).conflicts
    assert "the run itself requires leaf==1" in conflict.explanation()


def test_consumers_of_a_version_that_was_not_chosen_do_not_count():
    """leaf is looked at before tool; only tool==1, which loses, cannot use leaf==2."""
    graph = graph_of(
        _=[("a==1", "a"), ("b==1", "b")],
        a__1=[("tool==2", "tool"), ("leaf==2", "leaf>=2")],
        b__1=[("tool==1", "tool>0")],
        tool__1=[("leaf==1", "leaf<2")],
        tool__2=[],
        leaf__1=[],
        leaf__2=[],
    )
    found = constraints_file(graph)
    assert not found.conflicts
    assert "leaf==2\n" in found.text
    assert "tool==2\n" in found.text
