"""build, build-sequence and build-parallel, patches, settings and changelogs, on a real embedded cluster."""

import difflib
import json
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_cluster import LocalCluster
from small_index import Tiny, write_index

SOURCES = [Tiny("tool"), Tiny("leaf"), Tiny("top", build=("tool",), install=("leaf",))]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    folder = tmp_path_factory.mktemp("orders")
    index = write_index(folder / "sources", SOURCES)
    made = LocalCluster(folder, index, {"WHEELFLEET_SANDBOX": "none"})
    said = made.bootstrap("-O", "first", "top")
    assert said.status == 0, said.err
    yield made
    made.run("down", "--now")


def summary(cluster: LocalCluster, folder: str) -> dict[str, dict[str, object]]:
    text = (cluster.folder / folder / "work-dir" / "build-sequence-summary.json").read_text()
    return {entry["name"]: entry for entry in json.loads(text)}


def order_of(cluster: LocalCluster) -> str:
    return "first/work-dir/build-order.json"


def test_an_order_is_built_in_another_collection_and_skipped_the_second_time(cluster):
    said = cluster.run("-O", "second", "build-sequence", order_of(cluster), "--collection", "other")
    assert said.status == 0, said.err
    built = summary(cluster, "second")
    assert {name: entry["skipped"] for name, entry in built.items()} == dict.fromkeys(("leaf", "tool", "top"), False)
    assert all(Path(str(entry["wheel_filename"])).is_file() for entry in built.values())
    again = cluster.run("-O", "third", "build-sequence", order_of(cluster), "--collection", "other")
    assert again.status == 0, again.err
    assert {entry["skipped"] for entry in summary(cluster, "third").values()} == {True}
    table = (cluster.folder / "third" / "work-dir" / "build-sequence-summary.md").read_text()
    assert "No new builds" in table
    assert "Skipped existing builds" in table


def test_the_nodes_of_a_graph_are_built_as_an_order_is(cluster):
    graph = "first/work-dir/graph.json"
    said = cluster.run("-O", "fourth", "build-parallel", graph, "--collection", "third", "--max-workers", "2")
    assert said.status == 0, said.err
    assert set(summary(cluster, "fourth")) == {"leaf", "tool", "top"}


def test_one_version_is_built_anew_and_the_path_of_its_wheel_is_the_last_line(cluster):
    said = cluster.run("-O", "fifth", "build", "leaf", "1.0", cluster.index)
    assert said.status == 0, said.err
    assert Path(said.lines[-1]).is_file()
    assert len(said.lines) == 1
    assert "reproduced" in said.err


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("build", "leaf", "9.9", "{index}"), 1, "no version of leaf"),
        (("build", "leaf", "one", "{index}"), 2, "Invalid version"),
        (("build-sequence", "missing.json"), 2, "cannot read missing.json"),
        (("build-sequence", "first/work-dir/graph.json"), 2, "is no build order"),
        (("build-parallel", "first/work-dir/build-order.json"), 2, "graph"),
    ],
)
def test_bad_input_is_told_before_anything_is_queued(cluster, arguments, status, words):
    before = len(cluster.told("runs")["runs"])
    said = cluster.run(*(argument.format(index=cluster.index) for argument in arguments))
    assert said.status == status
    assert words in said.err
    assert len(cluster.told("runs")["runs"]) == before


def patch_of(cluster: LocalCluster) -> str:
    """A patch to what makes the module of leaf, as its users would write it."""
    with tarfile.open(cluster.folder / "first/sdists-repo/downloads/leaf-1.0.tar.gz") as archive:
        member = archive.extractfile("leaf-1.0/backend.py")
        assert member is not None
        before = member.read().decode().splitlines(keepends=True)
    after = [line.replace("VALUE = 1", "PATCHED = True") for line in before]
    return "".join(difflib.unified_diff(before, after, "a/backend.py", "b/backend.py"))


def override(cluster: LocalCluster, name: str, text: str) -> None:
    path = cluster.folder / "overrides" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_patch_is_another_build_which_needs_a_changelog_line_or_replaces(cluster):
    override(cluster, "patches/leaf-1.0/1.patch", patch_of(cluster))
    refused = cluster.bootstrap("-O", "sixth", "top")
    assert refused.status == 1
    assert "already published from other inputs: patches" in refused.out
    override(cluster, "settings/leaf.yaml", 'changelog:\n  "1.0":\n    - patched\n')
    built = cluster.bootstrap("-O", "seventh", "top")
    assert built.status == 0, built.err
    wheels = {path.name for path in (cluster.folder / "seventh/wheels-repo/downloads").iterdir()}
    assert "leaf-1.0-1-py3-none-any.whl" in wheels
    assert "top-1.0-0-py3-none-any.whl" in wheels
    with zipfile.ZipFile(cluster.folder / "seventh/wheels-repo/downloads/leaf-1.0-1-py3-none-any.whl") as wheel:
        assert wheel.read("leaf.py").startswith(b"PATCHED = True")
        assert b"patched" in wheel.read("leaf-1.0.dist-info/fromager-build-settings")
    statuses = json.loads((cluster.folder / "seventh/work-dir/bootstrap-summary.json").read_text())["nodes"]
    assert {node["name"]: node["status"] for node in statuses} == {
        "leaf": "built",
        "tool": "taken over",
        "top": "taken over",
    }


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("settings/tool.yaml", "env:\n  A: ${NOWHERE}\n", "overrides/settings/tool.yaml:2"),
        ("settings/tool.yaml", "pre_buildt: true\n", "pre_buildt"),
        ("settings.yaml", "changelog: [", "settings.yaml"),
    ],
)
def test_settings_that_cannot_be_read_are_told_with_file_and_line(cluster, name, text, words):
    override(cluster, name, text)
    said = cluster.bootstrap("tool")
    (cluster.folder / "overrides" / name).unlink()
    assert said.status == 2
    assert words in said.err
