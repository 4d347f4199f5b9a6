"""The edges of one stage: which version each requirement gets, and which it shares with what is there already."""

import json

import pytest
from packaging.utils import canonicalize_name

from story import RUN, TARGET, Story, edge
from wheelfleet_coordinator.core.candidates import ProjectListing, read_page
from wheelfleet_coordinator.core.constraints import Constraints
from wheelfleet_coordinator.core.instructions import Resolve
from wheelfleet_coordinator.core.requirement_lines import RequirementLine
from wheelfleet_coordinator.core.resolve_stage import RunRules, holding, projects_of, resolve_stage, static_arcs
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.targets import TargetDefinition
from wheelfleet_shared.names import NodeKey, graph_id

MARKERS = {"python_version": "3.11", "python_full_version": "3.11.7", "implementation_version": "3.11.7"}
PYTHON = TargetDefinition(TARGET, "cpython", "3.11", "cp311", "x86_64", "glibc", "2.28", MARKERS, ())
APP = NodeKey("wrapt", "1")


def listing(name: str, *versions: str) -> ProjectListing:
    files = [{"filename": f"{name}-{version}.tar.gz", "url": f"{name}-{version}.tar.gz"} for version in versions]
    page = {"meta": {"api-version": "1.0"}, "name": name, "files": files}
    content = json.dumps(page).encode()
    return read_page(content, "application/vnd.pypi.simple.v1+json", "https://a.example/", canonicalize_name(name))


LISTINGS = {name: listing(name, "1", "2", "3") for name in ("tool", "cython")}


def edges_of(stage: e.Stage, *requirements: str, static: str = "tool==2", constraint: str = "") -> list[e.Edge]:
    """The stage of a node whose one static build requirement is served by ``static``."""
    story = Story()
    story.submit("wrapt")
    story.resolve("", "toplevel", edge("toplevel", "wrapt", "wrapt==1"))
    story.resolve("wrapt==1", "build-system", edge("build-system", "tool>=1,<3", static))
    graph = story.world.graphs[graph_id(RUN, TARGET)]
    lines = [RequirementLine(constraint, "c.txt:1")] if constraint else []
    rules = RunRules(PYTHON, Constraints.merge(lines, MARKERS), None, None, {})
    resolve = Resolve(graph.id, APP, stage, (), requirements)
    found = resolve_stage(graph, resolve, holding(resolve, PYTHON), LISTINGS, rules)
    assert found.failures == ()
    return [item for event in found.events for item in event.edges]


@pytest.mark.rule("hook-2")
def test_what_the_hook_asks_for_is_needed_for_wheel_and_sdist_at_once():
    found = edges_of("hook", "cython")
    assert [(item.kind, str(item.node)) for item in found] == [
        ("build-sdist", "cython==3"),
        ("build-backend", "cython==3"),
    ]


@pytest.mark.parametrize(("asked", "version"), [("tool>=1", "2"), ("Tool", "2"), ("tool>=3", "3"), ("tool[x]>=1", "3")])
@pytest.mark.rule("hook-7")
def test_a_hook_gets_what_the_static_requirements_brought_where_that_will_do(asked, version):
    found = edges_of("hook", asked)
    assert {item.node for item in found} == {NodeKey("tool", version)}
    assert {item.requirement for item in found} == {asked}


@pytest.mark.rule("hook-7")
def test_what_serves_already_needs_no_page():
    story = Story()
    story.submit("wrapt")
    story.resolve("wrapt==1", "build-system", edge("build-system", "tool>=1", "tool==2"))
    graph = story.world.graphs[graph_id(RUN, TARGET)]
    resolve = Resolve(graph.id, APP, "hook", (), ("tool>=1", "cython"))
    assert projects_of(holding(resolve, PYTHON), static_arcs(graph, resolve)) == ["cython"]


@pytest.mark.rule("source-10")
def test_of_one_name_twice_with_opposite_markers_the_target_has_one():
    twice = ("tool<2; python_version < '3.8'", "tool>=2; python_version >= '3.8'")
    assert [(item.requirement, str(item.node)) for item in edges_of("build-system", *twice)] == [
        ('tool>=2; python_version >= "3.8"', "tool==3")
    ]


@pytest.mark.parametrize("stage", ["build-system", "hook", "install"])
@pytest.mark.rule("source-9")
def test_constraints_bind_requirements_of_every_kind(stage):
    found = edges_of(stage, "cython", constraint="cython<2")
    assert {(str(item.node), item.constraint) for item in found} == {("cython==1", "cython<2")}
