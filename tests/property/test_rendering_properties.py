"""What holds of every rendered file, whatever the graph and the order of its events."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.version import Version
from pypi_simple import ProjectPage

from story import Story, edge, sha256_of
from wheelfleet_coordinator.core.build_order_file import build_order, build_order_text
from wheelfleet_coordinator.core.constraints_file import constraints_file
from wheelfleet_coordinator.core.graph import BUILD_KINDS, Graph
from wheelfleet_coordinator.core.graph_file import graph_text, parsed_graph, read_graph
from wheelfleet_coordinator.core.index_pages import page_of
from wheelfleet_coordinator.core.requirement_files import requirement_files
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.envelope import Aggregate, Envelope, Recorded
from wheelfleet_shared.names import Actor, GraphId, IndexName, NodeKey, RunId, TargetId

NODES = [f"{name}=={version}" for name in "abc" for version in ("1", "2", "10")]
STAGES = ("build-system", "hook", "install")


def requirement_of(node, extras):
    name, _, version = node.partition("==")
    asked = f"[{','.join(sorted(extras))}]" if extras else ""
    return f"{name}{asked}<={version}"


@st.composite
def arcs(draw, kinds):
    node = draw(st.sampled_from(NODES))
    extras = draw(st.sets(st.sampled_from(["x", "y"]), max_size=1))
    return edge(draw(st.sampled_from(kinds)), requirement_of(node, extras), node)


KINDS = {"build-system": ["build-system"], "hook": ["build-backend", "build-sdist"], "install": ["install"]}


@st.composite
def resolutions(draw):
    """The events of a graph: the root first, and each further stage of a node at most once."""
    run, target = RunId("r"), TargetId("t")
    top = tuple(draw(st.lists(arcs(["toplevel"]), min_size=1, max_size=3)))
    events = [e.RequirementsResolved(run, target, None, "toplevel", top)]
    for node in draw(st.sets(st.sampled_from(NODES))):
        for stage in STAGES:
            for extras in ((), ("x",)) if stage == "install" else ((),):
                found = tuple(draw(st.lists(arcs(KINDS[stage]), max_size=2)))
                name, _, version = node.partition("==")
                events.append(e.RequirementsResolved(run, target, NodeKey(name, version), stage, found, extras))
    return events


def fold(events):
    graph = Graph(GraphId("g"), RunId("r"), TargetId("t"))
    for sequence, event in enumerate(events, 1):
        envelope = Envelope(str(sequence), 0.0, event)
        graph.apply(Recorded(sequence, Aggregate("graph", "g"), Actor("coordinator-1"), envelope))
    return graph


def rendered(graph):
    return (
        graph_text(parsed_graph(graph)),
        graph_text(parsed_graph(graph, sdist_only=True)),
        build_order_text(graph, {}),
        constraints_file(parsed_graph(graph)),
        requirement_files(graph),
    )


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_equal_folds_render_equally_whatever_the_order_of_events(data):
    events = data.draw(resolutions())
    shuffled = data.draw(st.permutations(events))
    assert rendered(fold(events)) == rendered(fold(shuffled))


@given(resolutions())
@settings(max_examples=40, deadline=None)
def test_a_graph_file_reads_back_and_its_edges_lead_to_nodes(events):
    graph = parsed_graph(fold(events))
    again = read_graph(graph_text(graph))
    assert again == graph
    assert {edge.key for node in graph.nodes.values() for edge in node.edges} <= graph.nodes.keys()


def reach(starts, step):
    found, stack = set(), list(starts)
    while stack:
        node = stack.pop()
        if node not in found:
            found.add(node)
            stack.extend(step(node))
    return found


@given(resolutions())
@settings(max_examples=60, deadline=None)
@pytest.mark.rule("order-1")
def test_each_entry_of_the_build_order_comes_after_what_it_needs(events):
    graph = fold(events)
    order = build_order(graph)
    place = {node: number for number, node in enumerate(order)}
    build = {node: {arc.edge.node for arc in graph.build_arcs(node)} for node in graph.nodes}
    install = {node: {arc.edge.node for arc in graph.install_arcs_of_node(node)} for node in graph.nodes}
    needs = {node: reach(build[node], install.get) | reach(install[node], install.get) for node in graph.nodes}
    after = {node: reach([node], lambda other: build[other] | install[other]) for node in graph.nodes}
    assert sorted(order) == sorted(graph.nodes)
    for node in order:
        for needed in needs[node]:
            assert place[needed] < place[node] or node in after[needed]


@given(resolutions())
@settings(max_examples=40, deadline=None)
def test_chosen_constraints_satisfy_every_consumer_that_stays(events):
    graph = parsed_graph(fold(events))
    found = constraints_file(graph)
    lines = [line.partition("==") for line in found.text.splitlines() if not line.startswith("#")]
    chosen = {name: version for name, _, version in lines}
    assert not chosen.keys() & {conflict.name for conflict in found.conflicts}
    stays = {key for key, node in graph.nodes.items() if chosen.get(node.canonicalized_name) == node.version}
    installed = [
        (graph.nodes[edge_.key].canonicalized_name, edge_)
        for key in stays
        for edge_ in graph.nodes[key].edges
        if edge_.req_type not in BUILD_KINDS
    ]
    # The run's own requirements have a say where no distribution installs the name, as with fromager.
    required = {
        graph.nodes[edge_.key].canonicalized_name
        for key, node in graph.nodes.items()
        for edge_ in node.edges
        if key and edge_.req_type not in BUILD_KINDS
    }
    own = [(graph.nodes[edge_.key].canonicalized_name, edge_) for edge_ in graph.nodes[""].edges]
    for name, edge_ in (*installed, *(pair for pair in own if pair[0] not in required)):
        if name in chosen:
            assert Version(chosen[name]) in Requirement(edge_.req).specifier


text = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=12)


@given(st.dictionaries(st.sampled_from(["1.0", "1.10", "1.9", "2!1.0+l.1"]), st.none() | text, min_size=1), text)
@settings(max_examples=40, deadline=None)
def test_both_forms_of_a_page_say_the_same_to_a_client(versions, note):
    story = Story()
    for version, yanked in versions.items():
        name = f"demo-{version}-0-py3-none-any.whl"
        wheel = e.FileRef(name, sha256_of(name), 7)
        file = story.publish(f"demo=={version}", wheel, requires_python=f">=3.8{',<4' if note else ''}")
        if yanked is not None:
            story.append("file", file, e.WheelYanked(yanked), "operator-me")
    pages = {form: page_of(story.world, IndexName(), "demo", form) for form in ("json", "html")}
    base = "http://index.example/indexes/main/cpu/simple/demo/"
    read = {
        "json": ProjectPage.from_json_data(json.loads(pages["json"]), base),
        "html": ProjectPage.from_html("demo", pages["html"].decode(), base),
    }
    views = [
        [
            (file.filename, file.url, file.digests, file.requires_python, file.metadata_digests, file.yanked_reason)
            for file in page.packages
        ]
        for page in read.values()
    ]
    assert [file[:5] for file in views[0]] == [file[:5] for file in views[1]]
    assert [file.is_yanked for file in read["json"].packages] == [file.is_yanked for file in read["html"].packages]
    for file in read["json"].packages:
        assert file.upload_time is not None
        assert file.size == 7
        assert (file.yanked_reason or "") == (versions[file.version] or "")
