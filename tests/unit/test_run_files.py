"""graph.json, build-order.json, summaries and the output folder, of told runs."""

import json

import pytest

from story import FILES, RUN, Story, edge, key_of, sha256_of, stevedore
from wheelfleet_coordinator.core.build_order_file import build_order, build_order_text
from wheelfleet_coordinator.core.graph_file import graph_text, parsed_graph, read_graph
from wheelfleet_coordinator.core.outputs import files, outputs
from wheelfleet_coordinator.core.requirement_files import requirement_files
from wheelfleet_coordinator.core.summary_file import summary, summary_json, summary_markdown
from wheelfleet_shared.core import events as e
from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import BuildKey, IndexName, RunId, TargetId, file_id

STEVEDORE = {
    "": [("stevedore==5.2.0", "toplevel", "stevedore==5.2.0")],
    "stevedore==5.2.0": [
        ("setuptools==84.2.1", "build-system", "setuptools>=40.8.0"),
        ("pbr==7.1.3", "build-sdist", "pbr>=2.0.0"),
        ("pbr==7.1.3", "build-backend", "pbr>=2.0.0"),
        ("pbr==7.1.3", "install", "pbr!=2.1.0,>=2.0.0"),
    ],
    "pbr==7.1.3": [
        ("setuptools==84.2.1", "build-system", 'setuptools>=64.0.0; python_version >= "3.7"'),
        ("setuptools==84.2.1", "install", "setuptools"),
    ],
    "setuptools==84.2.1": [],
}
"""What fromager 0.101 wrote, in its order."""


def the_graph(story):
    return story.world.graphs_of(RUN)[0]


def edges_of(text):
    return {
        key: [(edge["key"], edge["req_type"], edge["req"]) for edge in node["edges"]]
        for key, node in json.loads(text).items()
    }


def test_the_graph_file_is_that_of_fromager_edge_by_edge_in_its_order():
    text = graph_text(parsed_graph(the_graph(stevedore())))
    assert edges_of(text) == STEVEDORE
    assert list(json.loads(text)) == list(STEVEDORE)


def test_a_node_of_the_graph_file_has_fromagers_keys_in_its_order():
    node = json.loads(graph_text(parsed_graph(the_graph(stevedore()))))["pbr==7.1.3"]
    assert list(node) == ["download_url", "pre_built", "version", "canonicalized_name", "constraint", "edges"]
    assert node["constraint"] is None
    assert node["download_url"] == FILES + "pbr-7.1.3.tar.gz"


def test_what_was_written_reads_back_as_the_same_graph():
    graph = parsed_graph(the_graph(stevedore()))
    assert read_graph(graph_text(graph)) == graph


LOOSE = (
    '{"":{"download_url":"","pre_built":false,"version":"0","canonicalized_name":"",'
    '"edges":[{"key":"a==1","req_type":"install","req":"a"}]}}'
)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[]", "no graph file"),
        ("{", "no graph file"),
        ("{}", "no root"),
        (LOOSE, "a==1"),
    ],
)
def test_what_is_no_graph_file_is_refused_with_a_reason(text, named):
    with pytest.raises(InputError, match=named):
        read_graph(text)


def with_extra(options=None):
    """tool and tool[x] are both required; tool[x] installs leaf."""
    story = Story(options=options)
    story.submit("tool", "app")
    story.resolve("", "toplevel", edge("toplevel", "app", "app==1"), edge("toplevel", "tool", "tool==1"))
    story.resolve("app==1", "build-system")
    story.resolve("app==1", "hook")
    story.resolve("app==1", "install", edge("install", "tool[x]", "tool==1"))
    story.resolve("tool==1", "build-system", edge("build-system", "flit", "flit==1"))
    story.resolve("tool==1", "hook")
    story.resolve("tool==1", "install")
    story.resolve("tool==1", "install", edge("install", 'leaf; extra == "x"', "leaf==1"), extras=("x",))
    return story


def test_a_node_required_with_and_without_an_extra_has_its_build_edges_twice():
    edges = edges_of(graph_text(parsed_graph(the_graph(with_extra()))))["tool==1"]
    assert edges == [
        ("flit==1", "build-system", "flit"),
        ("flit==1", "build-system", "flit"),
        ("leaf==1", "install", 'leaf; extra == "x"'),
    ]


def test_the_install_requirements_on_file_are_those_of_the_last_visit():
    assert requirement_files(the_graph(with_extra()))["tool-1/requirements.txt"] == 'leaf; extra == "x"\n'


def sdist_only_story():
    """a is wanted as an sdist, then as a wheel, since z is built with it."""
    story = Story(options=e.RunOptions(sdist_only=True))
    story.submit("z", "a")
    story.resolve("", "toplevel", edge("toplevel", "z", "z==1"), edge("toplevel", "a", "a==1"))
    story.resolve("z==1", "build-system", edge("build-system", "a", "a==1"))
    story.resolve("a==1", "build-system", edge("build-system", "flit", "flit==1"))
    return story


def test_without_wheels_a_visit_as_sdist_and_a_later_one_as_wheel_are_two():
    graph = the_graph(sdist_only_story())
    assert len(parsed_graph(graph, sdist_only=True).nodes["a==1"].edges) == 2
    assert len(parsed_graph(graph).nodes["a==1"].edges) == 1


@pytest.mark.rule("hook-7")
def test_a_hook_requirement_that_the_static_environment_meets_is_no_visit():
    story = Story()
    story.submit("app")
    story.resolve("", "toplevel", edge("toplevel", "app", "app==1"))
    story.resolve("app==1", "build-system", edge("build-system", "tool[x]", "tool==1"))
    both = [edge(kind, "tool>0", "tool==1") for kind in ("build-backend", "build-sdist")]
    story.resolve("app==1", "hook", *both)
    story.resolve("tool==1", "build-system", edge("build-system", "flit", "flit==1"))
    nodes = parsed_graph(the_graph(story)).nodes
    assert [found.req_type for found in nodes["app==1"].edges] == ["build-system", "build-backend", "build-sdist"]
    assert len(nodes["tool==1"].edges) == 1


def test_a_prebuilt_node_is_not_built():
    story = Story()
    story.submit("app")
    prebuilt = edge("toplevel", "app", "app==1", source_type="prebuilt", constraint="app<2")
    story.resolve("", "toplevel", prebuilt)
    story.resolve("app==1", "build-system", edge("build-system", "flit", "flit==1"))
    node = parsed_graph(the_graph(story)).nodes["app==1"]
    assert (node.pre_built, node.constraint, node.edges) == (True, "app<2", ())


@pytest.mark.rule("order-4")
def test_the_build_order_is_that_of_fromager_with_the_digest_of_the_source():
    story = stevedore()
    entries = json.loads(build_order_text(the_graph(story), story.world.sources))
    assert [entry["dist"] for entry in entries] == ["setuptools", "pbr", "stevedore"]
    assert [entry["req"] for entry in entries] == ["setuptools>=40.8.0", "pbr>=2.0.0", "stevedore==5.2.0"]
    assert entries[1] == {
        "req": "pbr>=2.0.0",
        "constraint": "",
        "dist": "pbr",
        "version": "7.1.3",
        "prebuilt": False,
        "source_url": FILES + "pbr-7.1.3.tar.gz",
        "source_url_type": "sdist",
        "sha256": sha256_of("pbr-7.1.3.tar.gz"),
    }


@pytest.mark.rule("order-4")
def test_a_digest_that_the_index_did_not_promise_is_the_one_found():
    story = Story()
    story.submit("a")
    plain = edge("toplevel", "a", "a==1", source_sha256="", source_url=FILES + "a-1.tar.gz#egg=a")
    story.resolve("", "toplevel", plain)
    entry = json.loads(build_order_text(the_graph(story), story.world.sources))[0]
    assert (entry["sha256"], entry["source_url"]) == ("", FILES + "a-1.tar.gz")


@pytest.mark.rule("order-1")
def test_nodes_that_install_each_other_come_after_what_builds_them():
    story = Story()
    story.submit("a")
    story.resolve("", "toplevel", edge("toplevel", "a", "a==1"))
    story.resolve("a==1", "install", edge("install", "b", "b==1"))
    story.resolve("b==1", "install", edge("install", "a", "a==1"))
    story.resolve("b==1", "build-system", edge("build-system", "z", "z==1"))
    assert build_order(the_graph(story)) == [key_of(text) for text in ("z==1", "a==1", "b==1")]


def test_a_summary_counts_what_was_built_taken_over_and_failed():
    story = stevedore()
    wheel = story.build("setuptools==84.2.1")
    story.prepare("pbr==7.1.3")
    build, fence = story.claim(story.builds("pbr==7.1.3").result)
    failure = e.Failure("backend", "build", "gcc: not | found", hint="install a compiler")
    story.append("build", build, e.BuildFailed(failure, fence), "agent-1")
    story.finish("failed")
    found = summary(story.world, the_graph(story))
    assert found.counts == {"built": 1, "failed": 1, "unfinished": 1}
    assert found.makespan == (len(story.events) - 2) / 8  # from the submission on, which comes after the target
    line = next(node for node in found.nodes if node.name == "setuptools")
    assert (line.status, line.file, line.seconds, line.index) == ("built", wheel.file_name, 2.5, "main/cpu")
    (told,) = found.failures
    assert (told.node, told.phase, told.line, told.hint) == (
        "pbr==7.1.3",
        "build",
        "gcc: not | found",
        "install a compiler",
    )
    assert "gcc: not \\| found" in summary_markdown(found)
    assert json.loads(summary_json(found))["outcome"] == "failed"


def test_what_an_earlier_run_built_is_taken_over_without_seconds():
    story = Story()
    again = RunId("r2")
    for run in (RUN, again):
        story.submit("a", run=run)
        story.resolve("", "toplevel", edge("toplevel", "a", "a==1"), run=run)
        if run == RUN:
            story.build("a==1")
    (line,) = summary(story.world, story.world.graphs_of(again)[0]).nodes
    assert (line.status, line.seconds) == ("taken over", 0.0)


def test_a_requirement_without_a_version_is_a_failure_of_its_parent():
    story = Story()
    story.submit("a", "gone")
    graph = story.world.graphs_of(RUN)[0]
    lost = e.RequirementUnresolvable(RUN, graph.target, None, "toplevel", "gone", "no such project", "check the name")
    story.append("graph", graph.id, lost)
    (failure,) = summary(story.world, graph).failures
    assert (failure.node, failure.phase, failure.line) == ("", "resolve", "gone: no such project")
    assert "(the run)" in summary_markdown(summary(story.world, graph))


def test_a_source_that_cannot_be_fetched_and_a_failed_dependency_are_told():
    story = stevedore()
    broken = edge("install", "-", "pbr==7.1.3")
    source = story.builds("pbr==7.1.3").source_file
    story.append("source", source, e.FetchFailed(broken.source_url, "other bytes than promised"))
    story.prepare("stevedore==5.2.0")
    build, plan = story.builds("stevedore==5.2.0").result
    story.append("build", build, plan)
    story.append("build", build, e.DependencyFailed(("stevedore==5.2.0", "pbr==7.1.3")))
    told = {line.node: line for line in summary(story.world, the_graph(story)).failures}
    assert told["pbr==7.1.3"].phase == "fetch"
    assert told["stevedore==5.2.0"].chain == ("stevedore==5.2.0", "pbr==7.1.3")


def test_the_output_folder_holds_what_fromager_leaves_and_a_static_index():
    story = stevedore()
    wheel = story.build("setuptools==84.2.1")
    found = outputs(story.world, RUN)
    assert {path for path in found if path.startswith("work-dir/") and path.count("/") == 1} == {
        "work-dir/graph.json",
        "work-dir/build-order.json",
        "work-dir/constraints.txt",
        "work-dir/bootstrap-summary.json",
        "work-dir/bootstrap-summary.md",
    }
    assert found["work-dir/constraints.txt"] == b"pbr==7.1.3\nsetuptools==84.2.1\nstevedore==5.2.0\n"
    assert found["work-dir/stevedore-5.2.0/build-sdist-requirements.txt"] == b"pbr>=2.0.0\n"
    assert found["work-dir/setuptools-84.2.1/requirements.txt"] == b""
    page = found["wheels-repo/simple/setuptools/index.html"].decode()
    assert f'href="../../downloads/{wheel.file_name}#sha256={wheel.sha256}"' in page
    assert "metadata" not in page
    assert b'href="setuptools/"' in found["wheels-repo/simple/index.html"]


def test_wheels_and_sdists_are_listed_by_name_and_digest():
    story = stevedore()
    wheel = story.build("setuptools==84.2.1")
    listed = {file.path: file for file in files(story.world, RUN)}
    assert set(listed) == {
        f"wheels-repo/downloads/{wheel.file_name}",
        "sdists-repo/downloads/setuptools-84.2.1.tar.gz",
        "sdists-repo/builds/setuptools-84.2.1.tar.gz",
    }
    stored = listed[f"wheels-repo/downloads/{wheel.file_name}"]
    assert (stored.sha256, stored.size) == (wheel.sha256, wheel.size)
    assert stored.key == f"blobs/{wheel.sha256[:2]}/{wheel.sha256}/{wheel.file_name}"
    builds = listed["sdists-repo/builds/setuptools-84.2.1.tar.gz"]
    assert builds.sha256 != listed["sdists-repo/downloads/setuptools-84.2.1.tar.gz"].sha256


def test_constraints_are_left_out_where_the_user_says_so():
    assert "work-dir/constraints.txt" not in outputs(stevedore(skip_constraints=True).world, RUN)


def test_each_of_several_targets_has_its_own_folder():
    other = TargetId("cp312-linux_aarch64")
    story = Story(TargetId("cp311-linux_x86_64"), other)
    story.submit("a")
    found = outputs(story.world, RUN)
    assert "work-dir/cp312-linux_aarch64/graph.json" in found
    assert "work-dir/graph.json" not in found


def test_an_unknown_run_has_no_outputs():
    with pytest.raises(InputError, match="r9"):
        outputs(Story().world, RunId("r9"))


def test_every_edge_into_a_node_is_known_with_its_parent():
    into = parsed_graph(the_graph(stevedore())).edges_into()
    assert [(parent, found.req_type) for parent, found in into["pbr==7.1.3"]] == [
        ("stevedore==5.2.0", "build-sdist"),
        ("stevedore==5.2.0", "build-backend"),
        ("stevedore==5.2.0", "install"),
    ]
    assert into[""] == []


def one_node(**options):
    story = Story(options=e.RunOptions(**options))
    story.submit("a")
    story.resolve("", "toplevel", edge("toplevel", "a", "a==1"))
    story.prepare("a==1")
    return story, *story.claim(story.builds("a==1").result)


def test_a_run_without_wheels_ends_in_patched_sdists():
    story, build, fence = one_node(sdist_only=True)
    told = e.MetadataPrepared(fence, (), resources=e.Resources(wall=0.5))
    story.append("build", build, told, "agent-1")
    story.append("build", build, e.BuildSucceeded())
    (line,) = summary(story.world, the_graph(story)).nodes
    assert (line.status, line.file, line.size, line.seconds, line.index) == ("sdist only", "a-1.tar.gz", 90, 0.5, "")


def test_a_build_set_aside_shows_the_evidence():
    story, build, fence = one_node()
    story.append("build", build, e.LeaseExpired(fence, "agent-1"))
    story.append("build", build, e.BuildQuarantined(("agent-1: lost",)))
    (failure,) = summary(story.world, the_graph(story)).failures
    assert (failure.phase, failure.line) == ("attempts", "agent-1: lost silent")


def test_a_cancelled_build_is_unfinished_and_no_failure():
    story, build, _ = one_node()
    story.append("build", build, e.BuildCancelled())
    found = summary(story.world, the_graph(story))
    assert (found.counts, found.failures) == ({"unfinished": 1}, ())


def test_a_wheel_of_another_server_is_taken_over():
    story, build, fence = one_node()
    wheel = e.FileRef("a-1-0-py3-none-any.whl", sha256_of("a"), 5)
    file = file_id(IndexName(), wheel.file_name)
    origin, metadata = FILES + wheel.file_name, sha256_of("m")
    story.append("build", build, e.AttemptAborted(fence, "shutdown"), "agent-1")
    taken = e.WheelTakenOver(IndexName(), build, BuildKey("k"), key_of("a==1"), wheel, metadata, origin)
    story.append("file", file, taken)
    story.append("file", file, e.WheelPublished())
    story.append("build", build, e.BuildSatisfied(wheel))
    (line,) = summary(story.world, the_graph(story)).nodes
    assert (line.status, line.sha256) == ("taken over", wheel.sha256)
