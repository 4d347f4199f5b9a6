"""Any tree: packed, unpacked, packed again."""

import hashlib
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wheelfleet_agent.core.archive import extract
from wheelfleet_agent.core.patched_sdist import changed, fingerprints, pack_sdist

NAME = st.text(st.characters(blacklist_characters="/\0", blacklist_categories=("Cs",)), min_size=1, max_size=40).filter(
    lambda name: name not in {".", ".."} and len(name.encode()) < 200
)
FILES = st.dictionaries(NAME, st.tuples(st.binary(max_size=2000), st.booleans()), max_size=6)
TREES = st.dictionaries(NAME, FILES, max_size=4)


def lay(root, tree, order):
    for folder, files in sorted(tree.items(), key=order):
        (root / folder).mkdir(parents=True)
        for name, (data, executable) in sorted(files.items(), key=order):
            (root / folder / name).write_bytes(data)
            (root / folder / name).chmod(0o700 if executable else 0o640)
    return root


@settings(max_examples=60, deadline=None)
@given(TREES, st.integers(315_532_800, 4_000_000_000))
def test_a_packed_tree_comes_back_and_packs_to_the_same_bytes(tree, epoch):
    with tempfile.TemporaryDirectory() as place:
        base = Path(place)
        (base / "one").mkdir()
        (base / "two").mkdir()
        one = lay(base / "one", tree, lambda entry: entry[0])
        two = lay(base / "two", tree, lambda entry: hashlib.sha256(entry[0].encode()).digest())
        pack_sdist(one, "p-1", epoch, (), base / "one.tar.gz")
        pack_sdist(two, "p-1", epoch, (), base / "two.tar.gz")
        assert (base / "one.tar.gz").read_bytes() == (base / "two.tar.gz").read_bytes()
        back = extract(base / "one.tar.gz", base / "back")
        assert fingerprints(back.root) == fingerprints(one)
        assert back.newest_mtime == epoch
        pack_sdist(back.root, "p-1", epoch, (), base / "again.tar.gz")
        assert (base / "again.tar.gz").read_bytes() == (base / "one.tar.gz").read_bytes()


@given(st.dictionaries(st.text(), st.text()), st.dictionaries(st.text(), st.text()))
@pytest.mark.rule("epoch-4")
def test_changed_is_what_is_new_or_different(before, after):
    found = changed(before, after)
    assert found <= after.keys()
    assert all((name in found) == (before.get(name) != content) for name, content in after.items())
    assert not changed(after, after)


def test_names_that_are_no_utf8_come_back(tmp_path):
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / os.fsdecode(b"caf\xe9")).write_bytes(b"x")
    pack_sdist(tmp_path / "tree", "p-1", 1_577_836_800, (), tmp_path / "p.tar.gz")
    back = extract(tmp_path / "p.tar.gz", tmp_path / "back")
    assert [os.fsencode(path.name) for path in back.root.iterdir()] == [b"caf\xe9"]
