"""Runs that end badly: everything that can be done is done, and what failed is named with all that is known of it."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from local_cluster import LocalCluster, Said
from local_index import LocalIndex, archive, local_index
from local_runs import hook_calls_of_all_attempts

# What others count on the shared cluster, they count from its first run on.
pytestmark = pytest.mark.usefixtures("first")

PYPROJECT = """
[build-system]
requires = ["counted-backend"]
build-backend = "counted_backend"

[project]
name = "{name}"
version = "1.0"
"""


def sdist(name: str, claims: str = "", **others: bytes) -> tuple[str, bytes]:
    """A good source but for what it claims to be, and for its other members."""
    info = f"Metadata-Version: 2.1\nName: {claims or name}\nVersion: 1.0\n"
    own = {"pyproject.toml": PYPROJECT.format(name=name).encode(), "PKG-INFO": info.encode()}
    members = {f"{name}-1.0/{path}": data for path, data in own.items()}
    return f"{name}-1.0.tar.gz", archive(members | others)


@pytest.fixture(scope="module")
def troubled() -> Iterator[LocalIndex]:
    """An index of sources with something wrong each, and some good ones."""
    with local_index() as index:
        for tree in ("counted-backend", "leaf", "extra-leaf", "fails", "needs-fails"):
            index.add_tree(tree)
        index.add(*sdist("swapped"), sha256="0" * 64)
        index.add(*sdist("liar", claims="honest"))
        index.add(*sdist("escapes", **{"escapes-1.0/../../../escaped": b"out"}))
        index.add("torn-1.0.tar.gz", sdist("torn")[1][:100])
        yield index


@pytest.fixture(scope="module")
def failed(cluster: LocalCluster, troubled: LocalIndex) -> Said:
    """A run of everything in that index at once, in a collection of its own."""
    wanted = ("needs-fails", "extra-leaf", "swapped", "liar", "escapes", "torn", "absent", "leaf>5")
    options = ("--collection", "troubled", "-O", "troubled", "--index-url", troubled.url)
    return cluster.run("bootstrap", *options, *wanted)


def told_of(said: Said, node: str) -> list[str]:
    """The lines about a failed node."""
    start = next(number for number, line in enumerate(said.lines) if line.startswith(f"FAILED {node} "))
    return list(itertools.takewhile(bool, said.lines[start:]))


def test_a_run_with_failures_does_all_that_can_be_done(failed: Said, cluster: LocalCluster) -> None:
    assert failed.status == 1, failed.err
    wheels = {path.name for path in (cluster.folder / "troubled" / "wheels-repo" / "downloads").iterdir()}
    assert {name.partition("-")[0] for name in wheels} == {"counted_backend", "extra_leaf"}
    assert not failed.lines[-1].startswith("pip install")


@pytest.mark.rule("daily-11")
def test_a_failing_backend_is_named_with_phase_line_log_and_those_who_need_it(failed: Said) -> None:
    lines = told_of(failed, "fails==1.0")
    assert "(get_requires_for_build_wheel, backend)" in lines[0]
    assert lines[1] == "  RuntimeError: no compiler found"
    assert "  | looking for a compiler" in lines
    assert "  needed by: needs-fails==1.0 → fails==1.0" in lines
    assert any(line.startswith("  reproduce: wheelfleet bootstrap fails==1.0") for line in lines)
    assert "it needs fails==1.0" in told_of(failed, "needs-fails==1.0")[1]


@pytest.mark.parametrize(
    ("node", "kind", "said"),
    [
        ("swapped==1.0", "source", "0" * 64 + " was promised"),
        ("liar==1.0", "source", "a source that lies about its name"),
        ("escapes==1.0", "source", ".."),
        ("torn==1.0", "source", "broken archive"),
        ("absent", "policy", "absent"),
        ("leaf>5", "policy", "1.0"),
    ],
)
def test_what_is_wrong_with_a_source_is_said(failed: Said, node: str, kind: str, said: str) -> None:
    lines = told_of(failed, node)
    assert lines[0].endswith(f", {kind})")
    assert said in lines[1]
    assert any(line.startswith("  hint: ") for line in lines)


@pytest.mark.rule("daily-10")
def test_failing_fast_stops_what_has_not_begun(cluster: LocalCluster, troubled: LocalIndex) -> None:
    options = ("--collection", "hurried", "--fail-fast", "-O", "hurried", "--index-url", troubled.url)
    said = cluster.run("bootstrap", *options, "absent", "extra-leaf")
    assert said.status == 1
    assert not list((cluster.folder / "hurried").rglob("extra_leaf*.whl"))


def test_two_bootstraps_at_once_share_their_builds(cluster: LocalCluster, sources: LocalIndex) -> None:
    before = hook_calls_of_all_attempts(cluster.data)
    with ThreadPoolExecutor() as pool:
        options = [("--collection", "shared", "-O", folder) for folder in ("one", "other")]
        outcomes = list(pool.map(lambda chosen: cluster.bootstrap(*chosen, "tool"), options))
    assert [said.status for said in outcomes] == [0, 0]
    calls = hook_calls_of_all_attempts(cluster.data) - before
    hooks = ("get_requires_for_build_wheel", "build_wheel")
    assert calls == {f"{hook} of {name}": 1 for hook in hooks for name in ("counted-backend", "leaf", "tool")}


BAD_FILES = {
    "file": "",
    "bad.txt": "# one\ngood\nbad<>1\n",
    "graph.txt": "{}",
    "high.txt": "leaf>2\n",
    "low.txt": "leaf<2\n",
}
BAD_INPUT = [
    (("bootstrap", "-r", "bad.txt"), "bad.txt:3"),
    (("-c", "high.txt", "-c", "low.txt", "bootstrap", "leaf"), "low.txt:1"),
    (("bootstrap", "-p", "graph.txt", "leaf"), "graph.txt is no graph"),
    (("-O", "file", "bootstrap", "leaf"), "file is a file"),
    (("bootstrap", "--target", "cp39-nowhere", "leaf"), "cp39-nowhere"),
]
MORE_BAD_INPUT = [
    (("bootstrap",), "nothing to bootstrap"),
    (("bootstrap", "leaf=="), "'leaf=='"),
    (("bootstrap", "-r", "missing.txt"), "cannot read missing.txt"),
    (("bootstrap", "-r", "http://127.0.0.1:9/none.txt"), "none.txt"),
    (("bootstrap", "--index-url", "http://127.0.0.1:9/", "--index-url", "http://127.0.0.1:8/", "leaf"), "given twice"),
    (("bootstrap", "--as-of", "yesterday", "leaf"), "--as-of 'yesterday'"),
    (("bootstrap", "--collection", "Main", "leaf"), "cannot name a collection"),
    (("--slots", "99", "bootstrap", "leaf"), "wheelfleet down"),
    (("wait", "nothing"), "there is no run nothing"),
]


@pytest.mark.parametrize("cases", [BAD_INPUT, pytest.param(MORE_BAD_INPUT, marks=pytest.mark.long)])
def test_bad_input_is_refused_before_anything_is_queued(
    cluster: LocalCluster, cases: list[tuple[tuple[str, ...], str]]
) -> None:
    for name, text in BAD_FILES.items():
        (cluster.folder / name).write_text(text)
    before = cluster.events()[-1]["sequence"]
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda case: cluster.run(*case[0]), cases))
    assert cluster.events()[-1]["sequence"] == before
    for (arguments, told), said in zip(cases, outcomes, strict=True):
        assert (said.status, told in said.err) == (2, True), f"{arguments}: {said}"
