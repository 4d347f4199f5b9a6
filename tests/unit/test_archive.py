"""Crafted archives: what is refused, and what real sources need."""

import bz2
import gzip
import io
import lzma
import os
import stat
import tarfile

import pytest

from wheelfleet_agent.core.archive import extract
from wheelfleet_agent.core.archive_limits import ExtractLimits
from wheelfleet_shared.errors import SourceError

Y2020 = 1_577_836_800


def member(name, data=b"", *, kind=tarfile.REGTYPE, target="", mode=0o644, mtime=Y2020):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode, info.mtime, info.size = kind, target, mode, mtime, len(data)
    return info, data


def folder(name, **kwargs):
    return member(name, kind=tarfile.DIRTYPE, **kwargs)


def link(name, target):
    return member(name, kind=tarfile.SYMTYPE, target=target)


def hard(name, target):
    return member(name, kind=tarfile.LNKTYPE, target=target)


def tar_bytes(*members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, data in members:
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


@pytest.fixture
def unpack(tmp_path):
    def run(data, limits=None):
        if isinstance(data, list):
            data = tar_bytes(*data)
        archive = tmp_path / "archive"
        archive.write_bytes(data)
        return extract(archive, tmp_path / "out", limits)

    return run


@pytest.fixture
def outside(tmp_path):
    """A file that no archive may change; checked after each test that asks for it."""
    canary = tmp_path / "canary"
    canary.write_text("untouched")
    yield canary
    assert canary.read_text() == "untouched"
    assert sorted(path.name for path in tmp_path.iterdir()) in (["archive", "canary", "out"], ["archive", "canary"])


SOURCE = [
    folder("pkg-1.0"),
    member("pkg-1.0/setup.py", b"setup()"),
    member("./pkg-1.0/run.sh", b"#!", mode=0o775, mtime=Y2020 + 7),
    link("pkg-1.0/latest", "docs/../setup.py"),
    member("pkg-1.0/docs/deep/index", b"implied folders"),
    hard("pkg-1.0/copy.sh", "pkg-1.0/run.sh"),
]


@pytest.mark.parametrize("compress", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_a_source_is_unpacked_whatever_compressed_it(unpack, tmp_path, compress):
    extracted = unpack(compress(tar_bytes(*SOURCE)))
    root = tmp_path / "out" / "pkg-1.0"
    assert (extracted.root, extracted.newest_mtime, extracted.members) == (root, Y2020 + 7, 8)
    assert (root / "latest").read_bytes() == b"setup()"
    assert str((root / "latest").readlink()) == "docs/../setup.py"
    assert (root / "copy.sh").read_bytes() == b"#!"
    assert (root / "copy.sh").stat().st_nlink == 1
    assert root.stat().st_mtime == Y2020


@pytest.mark.rule("epoch-5")
def test_modes_are_normal_whatever_the_umask_and_the_archive_say(unpack):
    before = os.umask(0o077)
    try:
        root = unpack([folder("p", mode=0o700), member("p/suid", mode=0o4711), member("p/secret", mode=0o600)]).root
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [root, *root.iterdir()]}
    assert modes == {"p": 0o755, "suid": 0o755, "secret": 0o644}


@pytest.mark.parametrize(
    ("mtime", "kept"), [(0, 315_532_800), (-5, 315_532_800), (Y2020 + 0.7, Y2020), (2**33, 4_354_819_198)]
)
@pytest.mark.rule("epoch-3")
def test_times_stay_within_what_zip_can_hold(unpack, mtime, kept):
    extracted = unpack([member("p/a", mtime=mtime)])
    assert extracted.newest_mtime == kept
    assert (extracted.root / "a").stat().st_mtime == kept


def test_of_two_files_with_one_name_the_later_holds(unpack):
    assert (unpack([member("p/a", b"old"), member("p/a", b"new")]).root / "a").read_bytes() == b"new"


def test_names_that_are_no_utf8_survive(unpack):
    root = unpack([member("p/caf\udce9", b"latin")]).root
    assert [os.fsencode(path.name) for path in root.iterdir()] == [b"caf\xe9"]


def test_resource_forks_of_macos_beside_the_top_folder_do_not_count(unpack):
    assert unpack([member("./._p-1", b"fork"), member("./p-1/a")]).root.name == "p-1"


def deep_chain():
    """Folders and links whose resolved path is longer than PATH_MAX, then a way out of it (CVE-2025-4517)."""
    name, place, members = "d" * 247, "p", []
    for step in "abcdefghijklmnop":
        members += [folder(f"{place}/{name}"), link(f"{place}/{step}", name)]
        place = f"{place}/{step}"
    return members, place


def path_max_escape():
    """As published: the real path is built of long components, the link names only short ones."""
    name, real, short, members = "d" * 100, "p", "p", []
    for step in "abcdefgh":
        members += [folder(f"{real}/{name}"), link(f"{real}/{step}", name)]
        real, short = f"{real}/{name}", f"{short}/{step}"
    escape = "/".join([*"abcdefgh", *[".."] * 12, "canary"])
    return [*members, link("p/escape", escape), member("p/escape", b"pwned")]


REFUSED = {
    "absolute": ([member("/etc/x")], "absolute"),
    "climbs": ([member("p/../../canary", b"x")], "climbs"),
    "climbs inside": ([member("p/a/../b")], "climbs"),
    "climbing folder": ([folder("p/../..")], "climbs"),
    "device": ([member("p/null", kind=tarfile.CHRTYPE)], "device"),
    "block device": ([member("p/sda", kind=tarfile.BLKTYPE)], "device"),
    "pipe": ([member("p/pipe", kind=tarfile.FIFOTYPE)], "pipe"),
    "unknown kind": ([member("p/x", kind=b"Z")], "neither file"),
    "link out": ([folder("p"), link("p/l", "../../canary")], "leads out"),
    "link out, absolute": ([folder("p"), link("p/l", "/etc/passwd")], "absolute"),
    "link out by a chain": ([folder("p/d"), link("p/d/up", ".."), link("p/d/two", "up/../..")], "leads out"),
    "link out by a later chain": (
        [folder("p/d"), link("p/x", "y/../.."), folder("p/z"), link("p/y", "z/../..")],
        "leads out",
    ),
    "link through a file": ([member("p/f"), link("p/l", "f/../../..")], "no folder"),
    "link through nothing": ([folder("p"), link("p/l", "ghost/../../..")], "no folder"),
    "links in a circle": ([folder("p"), link("p/a", "b"), link("p/b", "a")], "over 40 links"),
    "long link target": ([folder("p"), link("p/l", "a/" * 3000 + "b")], "link target is over"),
    "written through a link": ([folder("p"), link("p/l", ".."), member("p/l/canary", b"x")], "lies below"),
    "written through a link out": ([folder("p"), link("p/l", "../.."), member("p/l/canary", b"x")], "lies below"),
    "written over a link": ([folder("p"), link("p/l", "../../canary"), member("p/l", b"x")], "came before"),
    "folder over a link": ([folder("p"), link("p/l", "../.."), folder("p/l")], "lies below"),
    "link over a file": ([member("p/f"), link("p/f", "../..")], "came before"),
    "link over a folder": ([folder("p/d"), link("p/d", "../..")], "came before"),
    "file over a folder": ([folder("p/d"), member("p/d", b"x")], "came before"),
    "below a file": ([member("p/f"), member("p/f/x")], "lies below"),
    "hard link out": ([folder("p"), hard("p/h", "../../canary")], "climbs"),
    "hard link out, absolute": ([folder("p"), hard("p/h", "/etc/passwd")], "absolute"),
    "hard link to a link": ([folder("p"), link("p/l", "../../canary"), hard("p/h", "p/l")], "no earlier file"),
    "hard link to what comes later": ([hard("p/h", "p/f"), member("p/f")], "no earlier file"),
    "hard link to itself": ([member("p/f"), hard("p/f", "p/f")], "no earlier file"),
    "PATH_MAX chain, written through": (deep_chain()[0], "lies below"),
    "PATH_MAX chain, link out": (path_max_escape()[:-1], "leads out"),
    "PATH_MAX chain, file over the link": (path_max_escape(), "came before"),
    "long component": ([member("p/" + "x" * 256)], "255 bytes"),
    "long component in bytes": ([member("p/" + "é" * 128)], "255 bytes"),
    "too deep": ([member("p/" + "d/" * 64 + "x")], "folders deep"),
    "long name": ([member("p/" + ("y" * 200 + "/") * 6 + "x")], "1024 bytes"),
    "replaces the root": ([member(".")], "replace the root"),
    "link as the root": ([link(".", "..")], "replace the root"),
}


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize("case", REFUSED)
def test_hostile_tar_archives_are_refused(unpack, case):
    members, rule = REFUSED[case]
    with pytest.raises(SourceError, match=rule) as caught:
        unpack(members)
    assert "member" in caught.value.what
    assert caught.value.next_step


@pytest.mark.parametrize(
    ("members", "shown"),
    [
        ([folder(".")], "nothing"),
        ([member("setup.py")], "setup.py"),
        ([member("a/x"), member("b/x")], "a, b"),
        ([link("p", ".")], "p"),
    ],
)
def test_without_a_single_top_folder_it_is_no_source(unpack, members, shown):
    with pytest.raises(SourceError, match=f"no single top folder but {shown}"):
        unpack(members)


SMALL = ExtractLimits(members=20, total_bytes=100_000, ratio=10, ratio_from=20_000)


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (lambda: [member(f"p/{n}") for n in range(30)], "over 20 members"),
        (lambda: [member("p/" + "d/" * 25 + "x")], "over 20 members"),
        (lambda: [member("p/big", b"x" * 200_000)], "over 100000 bytes"),
        (lambda: gzip.compress(tar_bytes(member("p/big", b"\0" * 90_000))), "10 times"),
        (lambda: gzip.compress(tar_bytes(*[member(f"p/{n}") for n in range(20)]) + b"\0" * 10**7), "20 members"),
        (
            lambda: [member("p/a", os.urandom(30_000)), hard("p/b", "p/a"), hard("p/c", "p/a"), hard("p/d", "p/a")],
            "over 100000",
        ),
    ],
    ids=["members", "implied folders", "bytes", "ratio", "tail", "hard links multiply"],
)
def test_bombs_are_refused(unpack, data, rule):
    with pytest.raises(SourceError, match=rule):
        unpack(data(), SMALL)


def test_a_header_of_gigabytes_is_not_read_into_memory(unpack):
    header = tarfile.TarInfo("././@PaxHeader")
    header.type, header.size = tarfile.XHDTYPE, 3 << 30
    block = header.tobuf(tarfile.USTAR_FORMAT)
    with pytest.raises(SourceError, match="a header of"):
        unpack(gzip.compress(block + b"\0" * 1_000_000))


def test_sparse_files_are_refused(unpack):
    info, _ = member("p/sparse")
    info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(1 << 40)}
    info.size = 512
    with pytest.raises(SourceError, match="sparse"):
        unpack(tar_bytes((info, b"0\n".ljust(512, b"\0"))))


def damaged_header():
    data = bytearray(tar_bytes(member("p/a", b"x"), member("p/b", b"y"), member("p/c", b"z")))
    data[1024 + 10] ^= 0xFF
    return bytes(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>not found</html>",
        gzip.compress(b"no tar"),
        gzip.compress(tar_bytes(*SOURCE))[:-200],
        lzma.compress(tar_bytes(*SOURCE))[:-100],
        bz2.compress(tar_bytes(member("p/a", os.urandom(5000))))[:-2000],
        b"\x1f\x8b" + b"garbage" * 50,
        tar_bytes(member("p/a", b"x" * 4000))[:2000],
        damaged_header(),
        b"PK\x03\x04" + b"garbage" * 50,
    ],
    ids=["empty", "html", "no tar", "gzip cut", "xz cut", "bzip2 cut", "bad gzip", "tar cut", "bad header", "bad zip"],
)
def test_broken_archives_are_source_errors(unpack, data):
    with pytest.raises(SourceError, match=r"broken|no archive|ends in the middle"):
        unpack(data)


def test_the_destination_must_be_new(unpack, tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(FileExistsError):
        unpack([member("p/a")])
