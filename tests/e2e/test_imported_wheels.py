"""Wheels of an earlier run, published into another collection as if they were taken over."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from local_cluster import LocalCluster
from local_runs import digests

DOWNLOADS = Path("wheels-repo", "downloads")


@pytest.fixture(scope="module")
def earlier(first, cluster: LocalCluster) -> Path:
    """The wheels of the first run."""
    return cluster.folder / "out" / DOWNLOADS


def test_imported_wheels_serve_a_bootstrap_that_builds_nothing(earlier: Path, cluster: LocalCluster):
    said = cluster.run("import-wheels", str(earlier.parent), "--collection", "imported")
    assert said.status == 0, said.out + said.err
    built = cluster.bootstrap("--collection", "imported", "-O", "from-imported", "top")
    assert built.status == 0, built.out + built.err
    assert digests(cluster.folder / "from-imported" / DOWNLOADS) == digests(earlier)
    summary = json.loads((cluster.folder / "from-imported" / "work-dir" / "bootstrap-summary.json").read_text())
    assert "built" not in json.dumps([row["status"] for row in summary["nodes"]])


def test_importing_again_changes_nothing_and_other_bytes_are_refused_with_words(earlier: Path, cluster: LocalCluster):
    one = cluster.folder / "a-wheel"
    one.mkdir()
    wheel = shutil.copy(earlier / "leaf-1.0-0-py3-none-any.whl", one)
    assert cluster.run("import-wheels", "a-wheel", "--collection", "imported").status == 0
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.comment = b"other bytes"
    said = cluster.run("import-wheels", "a-wheel", "--collection", "imported")
    assert said.status == 1
    assert "leaf-1.0-0-py3-none-any.whl is already published with other bytes" in said.out + said.err


def test_what_is_no_wheel_is_refused_before_anything_is_queued(earlier: Path, cluster: LocalCluster):
    before = len(cluster.told("runs")["runs"])
    (cluster.folder / "broken").mkdir()
    (cluster.folder / "broken" / "leaf-1.0-py3-none-any.whl").write_bytes(b"no zip")
    said = cluster.run("import-wheels", "broken")
    assert said.status == 2
    assert "nothing was imported" in said.err
    assert len(cluster.told("runs")["runs"]) == before
