"""Saved orders and graphs, ours and fromager's, as entries to build."""

import json

import pytest

from wheelfleet_coordinator.core.graph_file import read_graph
from wheelfleet_coordinator.core.order_reading import entries_of_graph, read_build_order
from wheelfleet_shared.core.bundle import Entry
from wheelfleet_shared.errors import InputError

PBR = {"req": "PBR>=2", "constraint": "", "dist": "PBR", "version": "7.1.3", "prebuilt": False}
PBR |= {"source_url": "https://a.example/pbr-7.1.3.tar.gz#sha256=00", "source_url_type": "sdist"}


def order(*entries: dict[str, object]) -> bytes:
    return json.dumps(entries).encode()


def refused(content: bytes) -> str:
    with pytest.raises(InputError) as caught:
        read_build_order(content, "order.json")
    return str(caught.value)


def test_an_entry_is_read_with_a_normal_name_and_without_the_fragment():
    assert read_build_order(order(PBR), "order.json") == (
        Entry("pbr", "7.1.3", "https://a.example/pbr-7.1.3.tar.gz", requirement="PBR>=2"),
    )


def test_keys_of_other_versions_of_fromager_are_passed_over_and_ours_is_read():
    sha256 = "ab" * 32
    found = read_build_order(order(PBR | {"type": "build_system", "why": [], "sha256": sha256}), "order.json")
    assert found[0].sha256 == sha256


def test_the_same_version_twice_is_one_entry():
    assert len(read_build_order(order(PBR, PBR | {"req": "pbr"}), "order.json")) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "order.json is no build order"),
        (b"[]", "order.json holds no entry"),
        (b'{"": {"edges": []}}', "no build order"),
        (order(PBR, PBR | {"version": "seven"}), "order.json, entry 2 (PBR)"),
        (order(PBR | {"req": "pbr =="}), "entry 1 (PBR)"),
        (order(PBR | {"sha256": "abc"}), "'abc' is no sha256"),
        (order(PBR | {"source_url": "pbr.tar.gz"}), "'pbr.tar.gz' is no URL"),
        (order({"dist": "pbr"}), "missing required field `version`"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(content, words):
    assert words in refused(content)


def graph(*nodes: tuple[str, str]) -> bytes:
    root = {"download_url": "", "pre_built": False, "version": "0", "canonicalized_name": "", "edges": []}
    found = {"": root}
    for name, version in nodes:
        url = f"https://a.example/{name}-{version}.tar.gz"
        found[f"{name}=={version}"] = root | {"download_url": url, "version": version, "canonicalized_name": name}
        root["edges"].append({"key": f"{name}=={version}", "req_type": "toplevel", "req": name})
    return json.dumps(found).encode()


def test_the_nodes_of_a_graph_are_entries_too():
    found = entries_of_graph(read_graph(graph(("b", "2"), ("a", "10"), ("a", "9"))), "graph.json")
    assert [(entry.name, entry.version) for entry in found] == [("a", "9"), ("a", "10"), ("b", "2")]
    with pytest.raises(InputError, match="holds no node"):
        entries_of_graph(read_graph(graph()), "graph.json")
