"""A tree that waits for its build is what unpacking the sdist would leave."""

import os
import tarfile
import time
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from wheelfleet_agent.adapters import prepared_trees
from wheelfleet_agent.adapters.prepared_trees import keep_tree, take_tree
from wheelfleet_agent.core.archive import extract
from wheelfleet_agent.core.prepare import Preparation, PreparedSource, prepare_source
from wheelfleet_shared.names import Sha256


@pytest.fixture
def prepared(tmp_path, make_source):
    return make_source(tmp_path / "work")


@pytest.fixture
def make_source(tmp_path):
    tree = tmp_path / "upstream" / "Plain-1.0"
    (tree / "empty").mkdir(parents=True)
    (tree / "pyproject.toml").write_text("[build-system]\nrequires = []\n")
    (tree / "configure").write_text("#!/bin/sh\n")
    (tree / "configure").chmod(0o755)
    (tree / "link").symlink_to("configure")
    archive = tmp_path / "Plain-1.0.tar.gz"
    with tarfile.open(archive, "w:gz") as opened:
        opened.add(tree, "Plain-1.0")

    def make(workdir: Path) -> PreparedSource:
        workdir.mkdir()
        name = canonicalize_name("plain")
        return prepare_source(archive, name, Version("1.0"), (), Preparation(), workdir, lambda *_: None)

    return make


def keep(folder, prepared, sha256=None):
    top = prepared.sdist.name.removesuffix(".tar.gz")
    keep_tree(folder, Sha256(sha256 or prepared.sha256), prepared.tree, top, prepared.epoch)


def look(root):
    """Name → kind, mode, time, content of all below."""
    found = {}
    for path in (root, *root.rglob("*")):
        status = path.lstat()
        content = bytes(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else b""
        found[str(path.relative_to(root.parent))] = (oct(status.st_mode), status.st_mtime, content)
    return found


def test_a_kept_tree_is_what_unpacking_leaves(tmp_path, prepared):
    unpacked = extract(prepared.sdist, tmp_path / "unpacked").root
    keep(tmp_path / "trees", prepared)
    taken = take_tree(tmp_path / "trees", prepared.sha256, tmp_path / "taken")
    assert taken is not None
    assert taken.name == unpacked.name == "plain-1.0"
    assert look(taken) == look(unpacked)
    assert {"plain-1.0/link", "plain-1.0/empty", "plain-1.0/PKG-INFO"} < look(taken).keys()


def test_a_tree_is_given_away_once(tmp_path, prepared, make_source):
    keep(tmp_path / "trees", prepared)
    keep(tmp_path / "trees", make_source(tmp_path / "again"))
    assert len(list((tmp_path / "trees").iterdir())) == 1
    assert take_tree(tmp_path / "trees", prepared.sha256, tmp_path / "one") is not None
    assert take_tree(tmp_path / "trees", prepared.sha256, tmp_path / "two") is None


def test_trees_that_nobody_came_for_make_room(tmp_path, prepared, make_source, monkeypatch):
    monkeypatch.setattr(prepared_trees, "MOST_TREES", 1)
    other = make_source(tmp_path / "other")
    keep(tmp_path / "trees", prepared)
    keep(tmp_path / "trees", other, "0" * 64)
    assert [path.name for path in (tmp_path / "trees").iterdir()] == [prepared.sha256]
    long_ago = time.time() - 7200
    os.utime(tmp_path / "trees" / prepared.sha256, (long_ago, long_ago))
    keep(tmp_path / "trees", other, "0" * 64)
    assert [path.name for path in (tmp_path / "trees").iterdir()] == ["0" * 64]
