"""Hooks are called and sources fetched as often as they must be; an index may tell as little as PEP 503 asks for."""

import hashlib
from collections import Counter

import pytest

from local_cluster import LocalCluster
from local_index import TREES, LocalIndex, local_index, pack
from local_runs import hook_calls_of_all_attempts

NAMES = ("asked-for", "asks-hooks", "compiled", "counted-backend", "extra-leaf", "extra-user", "leaf", "middle")
HOOKS = ("get_requires_for_build_wheel", "build_wheel")
ONCE_EACH = Counter(f"{hook} of {name}" for name in (*NAMES, "tool", "top") for hook in HOOKS)


@pytest.mark.rule("hook-1", "hook-3")
def test_a_new_wheel_costs_one_call_of_each_hook(cluster: LocalCluster, first) -> None:
    assert first.calls == ONCE_EACH
    built = [line["envelope"]["event"] for line in cluster.events()]
    hooks = [event["resources"]["hooks"] for event in built if event["type"] == "WheelBuilt"]
    # Told by the agent: the wheel whose hook asked for more was built without asking again.
    assert sorted(hooks)[:2] == [1, 2]


@pytest.mark.rule("taken-3")
def test_a_second_run_calls_no_hook_and_fetches_no_source(cluster: LocalCluster, sources: LocalIndex, first) -> None:
    before, asked = hook_calls_of_all_attempts(cluster.data), len(sources.requests)
    again = cluster.bootstrap("-O", "again", "top")
    assert again.status == 0, again.err
    assert hook_calls_of_all_attempts(cluster.data) == before
    # Each page once, and that of the first requirement before, to know that the index answers.
    pages = sorted(f"/simple/{name}/" for name in (*NAMES, "tool", "top", "top"))
    assert sorted(sources.requests[asked:]) == pages


def test_an_index_without_hashes_serves_and_what_was_found_is_said(cluster: LocalCluster) -> None:
    with local_index(hashes=False, json=False) as index:
        index.add_tree("counted-backend")
        index.add_tree("leaf")
        options = ("--collection", "unhashed", "--index-url", index.url)
        said = cluster.run("bootstrap", *options, "-O", "unhashed", "leaf")
    assert said.status == 0, said.err
    found = hashlib.sha256(pack(TREES / "leaf")[1]).hexdigest()
    assert f"leaf-1.0: the index promises no sha256; found {found}" in said.lines
    fetched = [line["envelope"]["event"] for line in cluster.events()]
    assert any(
        event["type"] == "SourceFetched" and not event.get("promised") and event["file"]["sha256"] == found
        for event in fetched
    )
