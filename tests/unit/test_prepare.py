"""From upstream's archive to the patched sdist: real patches, real archives, equal bytes everywhere."""

import gzip
import io
import os
import subprocess
import sys
import tarfile
import zlib
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from wheelfleet_agent.core.archive import extract
from wheelfleet_agent.core.patched_sdist import pack_sdist
from wheelfleet_agent.core.prepare import Patch, Preparation, open_source, pack_changed, prepare_source
from wheelfleet_agent.core.pyproject import BuildSystem
from wheelfleet_shared.core.stored_gzip import StoredGzip
from wheelfleet_shared.errors import InputError, SourceError

Y2020 = 1_577_836_800
FOO, ONE = canonicalize_name("Foo.Bar"), Version("1.0")
FILES = {
    "Foo.Bar-1.0/setup.py": (b"from setuptools import setup\nsetup()\n", Y2020),
    "Foo.Bar-1.0/PKG-INFO": (b"Metadata-Version: 2.1\nName: Foo.Bar\nVersion: 1.0\n", Y2020 + 60),
    "Foo.Bar-1.0/fast.pyx": (b"x = 1\n", Y2020),
    "Foo.Bar-1.0/fast.c": (b"/* x = 1 */\n", Y2020),
    "Foo.Bar-1.0/sub/pyproject.toml": (b'[build-system]\nrequires = ["a"]\n', Y2020),
    "Foo.Bar-1.0/" + "long/" * 30 + "name": (b"", Y2020),
}
PYX = Patch("fast.patch", b"--- a/fast.pyx\n+++ b/fast.pyx\n@@ -1 +1 @@\n-x = 1\n+x = 2\n")


def archive(path, files):
    with tarfile.open(path, "w:gz") as opened:
        for name, (data, mtime) in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.mode = len(data), mtime, 0o775 if name.endswith(".py") else 0o600
            opened.addfile(info, io.BytesIO(data))
        link = tarfile.TarInfo("Foo.Bar-1.0/link.c")
        link.type, link.linkname, link.mtime = tarfile.SYMTYPE, "fast.c", Y2020
        opened.addfile(link)
    return path


def patch_p1(root, patch):
    command = ["patch", "-p1", "--forward", "--no-backup-if-mismatch", "-d", str(root)]
    done = subprocess.run(command, input=patch.data, capture_output=True, check=False)
    if done.returncode:
        raise SourceError(f"{patch.name} does not apply", "refresh it")


@pytest.fixture
def prepare(tmp_path):
    def run(files=FILES, patches=(), settings=None, workdir="work"):
        (tmp_path / workdir).mkdir()
        upstream = archive(tmp_path / "upstream", files)
        preparation = settings or Preparation()
        return prepare_source(upstream, FOO, ONE, patches, preparation, tmp_path / workdir, patch_p1)

    return run


def members(sdist):
    with tarfile.open(sdist) as opened:
        return {member.name: member for member in opened.getmembers()}


@pytest.mark.rule("epoch-1", "epoch-4", "epoch-5", "epoch-6", "source-7")
def test_a_patched_source_has_one_epoch_and_newer_touched_members(prepare):
    prepared = prepare(patches=[PYX])
    found = members(prepared.sdist)
    assert prepared.sdist.name == "foo_bar-1.0.tar.gz"
    assert prepared.epoch == Y2020 + 60
    assert prepared.touched == ("fast.pyx",)
    assert {member.mtime for name, member in found.items() if not name.endswith(".pyx")} == {Y2020 + 60}
    assert found["foo_bar-1.0/fast.pyx"].mtime == Y2020 + 62
    assert list(found) == sorted(found, key=lambda name: name.split("/"))
    assert (found["foo_bar-1.0/setup.py"].mode, found["foo_bar-1.0/fast.c"].mode) == (0o755, 0o644)
    assert {(member.uid, member.gid, member.uname, member.gname) for member in found.values()} == {(0, 0, "", "")}
    assert found["foo_bar-1.0/link.c"].linkname == "fast.c"
    assert prepared.size == prepared.sdist.stat().st_size


@pytest.mark.rule("epoch-8")
def test_the_sdist_can_be_unpacked_and_packed_again_to_the_same_bytes(prepare, tmp_path):
    prepared = prepare(patches=[PYX])
    again = extract(prepared.sdist, tmp_path / "again")
    assert (again.root / "fast.pyx").stat().st_mtime == prepared.epoch + 2
    pack_sdist(again.root, "foo_bar-1.0", prepared.epoch, prepared.touched, tmp_path / "again.tar.gz")
    assert (tmp_path / "again.tar.gz").read_bytes() == prepared.sdist.read_bytes()


@pytest.mark.rule("epoch-2", "epoch-3")
def test_settings_decide_epoch_requirements_and_where_to_look(prepare):
    settings = Preparation(epoch=0, build_dir="sub", update_requires=("setuptools<81",), remove_requires=("a",))
    prepared = prepare(settings=settings)
    assert prepared.epoch == 315_532_800
    assert prepared.touched == ("sub/pyproject.toml",)
    assert prepared.build_system == BuildSystem(("setuptools<81",))
    assert members(prepared.sdist)["foo_bar-1.0/sub/PKG-INFO"].mtime == prepared.epoch


@pytest.mark.rule("source-4")
def test_a_source_without_pkg_info_gets_one_that_counts_as_untouched(prepare):
    prepared = prepare({name: entry for name, entry in FILES.items() if "PKG-INFO" not in name}, patches=[PYX])
    with tarfile.open(prepared.sdist) as opened:
        stub = opened.extractfile("foo_bar-1.0/PKG-INFO")
        assert stub is not None
        assert b"Name: foo-bar\nVersion: 1.0\n" in stub.read()
    assert prepared.touched == ("fast.pyx",)
    assert not prepared.requires_dist_static


@pytest.mark.rule("epoch-6")
def test_a_tree_that_something_else_made_is_packed_as_what_patches_make(prepare, tmp_path):
    patched = prepare(patches=[PYX])
    folder = tmp_path / "other"
    opened = open_source(archive(tmp_path / "upstream", FILES), FOO, ONE, folder)
    tree = extract(tmp_path / "upstream", tmp_path / "tree").root
    (tree / "fast.pyx").write_bytes(b"x = 2\n")
    made = pack_changed(opened, tree, Preparation(), folder)
    assert made.sdist.read_bytes() == patched.sdist.read_bytes()
    assert made.touched == ("fast.pyx",)
    os.mkfifo(tree / "pipe")
    with pytest.raises(SourceError, match="pipe: neither file, folder nor link"):
        pack_changed(opened, tree, Preparation(), folder)


def test_failures_name_who_is_at_fault(prepare):
    with pytest.raises(SourceError, match=r"fast\.patch does not apply"):
        prepare(patches=[PYX, PYX], workdir="a")
    with pytest.raises(SourceError, match="lies about its name"):
        prepare({**FILES, "Foo.Bar-1.0/PKG-INFO": (b"Name: other\nVersion: 1.0\n", Y2020)}, workdir="b")
    with pytest.raises(InputError, match="build_dir"):
        prepare(settings=Preparation(build_dir=".."), workdir="c")
    link = b"diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+../../x\n"
    with pytest.raises(SourceError, match=r"leads out|does not apply"):
        prepare(patches=[Patch("link.patch", link)], workdir="d")


DETERMINISTIC = """
import os, sys
from pathlib import Path
from packaging.version import Version
from wheelfleet_agent.core.prepare import Preparation, prepare_source
os.umask(int(sys.argv[3], 8))
def touch(root, patch):
    (root / "fast.pyx").write_text("x = 2\\n")
from wheelfleet_agent.core.prepare import Patch
work = Path(sys.argv[2]); work.mkdir()
done = prepare_source(Path(sys.argv[1]), "foo-bar", Version("1.0"), [Patch("p", b"")], Preparation(), work, touch)
print(done.sha256, done.epoch)
"""


@pytest.mark.rule("epoch-9")
def test_bytes_do_not_depend_on_zone_umask_hash_seed_or_order_on_disk(tmp_path):
    path = os.pathsep.join(entry for entry in sys.path if entry)
    outcomes = set()
    settings = [("UTC", "022", "0"), ("America/Caracas", "077", "1"), ("Asia/Kathmandu", "000", "2")]
    for number, (zone, umask, seed) in enumerate(settings):
        # another order of the same members: other inodes, another order of the folder's entries
        files = dict(sorted(FILES.items(), key=lambda entry: hash((number, entry[0]))))
        upstream = archive(tmp_path / f"upstream{number}", files)
        environment = {"PATH": os.environ["PATH"], "TZ": zone, "PYTHONHASHSEED": seed, "PYTHONPATH": path}
        command = [sys.executable, "-c", DETERMINISTIC, str(upstream), str(tmp_path / f"w{number}"), umask]
        outcomes.add(subprocess.run(command, env=environment, capture_output=True, check=True).stdout)
    assert len(outcomes) == 1


@pytest.mark.rule("epoch-5", "epoch-9")
def test_neither_modes_nor_the_order_of_a_folder_reach_the_sdist(tmp_path, monkeypatch):
    tree, walk = tmp_path / "tree", os.walk
    (tree / "sub").mkdir(parents=True)
    modes = {"a": 0o600, "b": 0o711, "sub/a": 0o664, "sub/b": 0o775}
    for name, mode in modes.items():
        (tree / name).write_bytes(b"")
        (tree / name).chmod(mode)
    (tree / "sub").chmod(0o700)
    for name, turned in (("one", False), ("other", True)):
        monkeypatch.setattr(
            os,
            "walk",
            lambda root, turned=turned: ((at, *(sorted(n, reverse=turned) for n in rest)) for at, *rest in walk(root)),
        )
        pack_sdist(tree, "top", Y2020, (), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
    found = {name: member.mode for name, member in members(tmp_path / "one").items()}
    assert found == {
        "top": 0o755,
        "top/a": 0o644,
        "top/b": 0o755,
        "top/sub": 0o755,
        "top/sub/a": 0o644,
        "top/sub/b": 0o755,
    }


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 200_001])
@pytest.mark.rule("epoch-7")
def test_stored_gzip_is_gzip_in_any_portions(size):
    data, out = os.urandom(size), [io.BytesIO(), io.BytesIO()]
    for sink, portion in zip(out, (7_000, 100_000), strict=True):
        stored = StoredGzip(sink)
        for at in range(0, size, portion):
            stored.write(data[at : at + portion])
        stored.close()
        assert stored.tell() == size
    assert gzip.decompress(out[0].getvalue()) == data
    assert out[0].getvalue() == out[1].getvalue()
    assert zlib.decompress(out[0].getvalue(), wbits=31) == data


def test_preparing_leaves_nothing_beside_its_folder(prepare, tmp_path):
    prepare(patches=[PYX])
    assert sorted(path.name for path in (tmp_path / "work").iterdir()) == ["foo_bar-1.0.tar.gz", "source"]
    assert not list(Path(tmp_path / "work").rglob("*.orig"))
