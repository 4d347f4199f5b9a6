"""Which versions count and where they come from, as settings and options say: on two real indexes with times."""

import datetime as dt
import hashlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_cluster import LocalCluster, Said
from local_index import LocalIndex, archive, local_index
from wheelfleet_shared.core.wheel_record import record_digest

PYPROJECT = """
[build-system]
requires = ["counted-backend"]
build-backend = "counted_backend"
[project]
name = "{0}"
version = "{1}"
"""
WANTED = ("aged", "eager", "elsewhere", "by-wheels", "ready")
SETTINGS = {
    "eager": "resolver_dist: {{min_release_age: 0}}",
    "elsewhere": "resolver_dist: {{sdist_server_url: '{other}'}}",
    "by_wheels": "expect: pure\nresolver_dist: {{include_wheels: true, ignore_platform: true}}\n"
    "download_source: {{url: '{base}/by-wheels-${{version}}.tar.gz'}}",
    "ready": "variants: {{cpu: {{pre_built: true, wheel_server_url: '{other}'}}}}",
    "sourceless": "resolver_dist: {{include_wheels: true}}",
}


def sdist(name: str, version: str) -> tuple[str, bytes]:
    root = f"{name.replace('-', '_')}-{version}"
    texts = {"pyproject.toml": PYPROJECT.format(name, version), "code.py": "x = 1\n", "CALLS": ""}
    return f"{root}.tar.gz", archive({f"{root}/{path}": text.encode() for path, text in texts.items()})


def days_ago(days: int) -> str:
    moment = dt.datetime.fromtimestamp(Path("/proc/self").stat().st_mtime, dt.UTC) - dt.timedelta(days=days)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalIndex]:
    """An index that only settings name."""
    with local_index() as index:
        index.add(*sdist("elsewhere", "7.0"), uploaded=days_ago(300))
        index.add("ready-3.0-py3-none-any.whl", wheel_of(tmp_path_factory.mktemp("ready")), uploaded=days_ago(300))
        yield index


def wheel_of(folder: Path) -> bytes:
    info = "ready-3.0.dist-info"
    members = {
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: ready\nVersion: 3.0\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},{record_digest(hashlib.sha256(data).digest())},\n" for name, data in members.items())
    with zipfile.ZipFile(folder / "wheel", "w") as out:
        for name, data in {**members, f"{info}/RECORD": f"{record}{info}/RECORD,,\n".encode()}.items():
            out.writestr(name, data)
    return (folder / "wheel").read_bytes()


@pytest.fixture(scope="module")
def said(cluster: LocalCluster, other: LocalIndex) -> Iterator[Said]:
    """A bootstrap that lets nothing younger than a week in, and nothing older than a year while there is better."""
    with local_index() as index:
        index.add_tree("counted-backend", {"CALLS": ""})
        for version, days in (("1.0", 500), ("2.0", 300), ("3.0", 2)):
            index.add(*sdist("aged", version), uploaded=days_ago(days))
            index.add(*sdist("eager", version), uploaded=days_ago(days))
        index.add(*sdist("elsewhere", "1.0"), uploaded=days_ago(300))
        index.add(*sdist("by-wheels", "1.0"), uploaded=days_ago(300))
        index.add("by_wheels-2.0-cp39-cp39-win_amd64.whl", b"never fetched", uploaded=days_ago(300))
        index.add("sourceless-1.0-py3-none-any.whl", b"never fetched", uploaded=days_ago(300))
        base = index.url.removesuffix("/simple")
        index.add_file("by-wheels-2.0.tar.gz", sdist("by-wheels", "2.0")[1])
        folder = cluster.folder / "where"
        folder.mkdir()
        for name, text in SETTINGS.items():
            (folder / f"{name}.yaml").write_text(text.format(other=other.url, base=base))
        before = ("--settings-dir", "where", "--min-release-age", "7", "bootstrap", "--max-release-age", "365")
        done = cluster.run(*before, "--index-url", index.url, "--collection", "where", "-O", "where-out", *WANTED)
        assert done.status == 0, done.out + done.err
        yield cluster.run(*before, "--index-url", index.url, "--collection", "where", "sourceless")


@pytest.fixture(scope="module")
def nodes(said: Said, cluster: LocalCluster) -> dict[str, Any]:
    graph = json.loads((cluster.folder / "where-out" / "work-dir" / "graph.json").read_text())
    return {node["canonicalized_name"]: node for node in graph.values()}


def test_versions_are_those_of_the_right_age(nodes: dict[str, Any]):
    assert nodes["aged"]["version"] == "2.0"
    assert nodes["eager"]["version"] == "3.0"


def test_where_all_are_too_old_age_rules_nothing_out(nodes: dict[str, Any]):
    assert nodes["counted-backend"]["version"] == "1.0"


def test_sdists_and_wheels_come_from_the_servers_that_settings_name(nodes: dict[str, Any], other: LocalIndex):
    base = other.url.removesuffix("/simple")
    assert (nodes["elsewhere"]["version"], nodes["elsewhere"]["download_url"]) == (
        "7.0",
        f"{base}/files/elsewhere/elsewhere-7.0.tar.gz",
    )
    assert (nodes["ready"]["pre_built"], nodes["ready"]["download_url"].startswith(base)) == (True, True)


def test_wheels_of_any_platform_tell_which_versions_there_are_and_the_source_is_elsewhere(nodes: dict[str, Any]):
    assert nodes["by-wheels"]["version"] == "2.0"
    assert nodes["by-wheels"]["download_url"].endswith("/by-wheels-2.0.tar.gz")


def test_a_version_without_a_source_is_told_with_the_settings_that_help(said: Said):
    assert said.status == 1
    assert "only sourceless-1.0-py3-none-any.whl" in said.out + said.err
    assert "download_source.url" in said.out + said.err
