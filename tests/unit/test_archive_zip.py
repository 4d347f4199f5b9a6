"""Crafted zip archives: what is refused, and what real sources need."""

import io
import os
import stat
import zipfile

import pytest

from wheelfleet_agent.core.archive import extract
from wheelfleet_agent.core.archive_limits import ExtractLimits
from wheelfleet_shared.errors import SourceError

Y2020 = 1_577_836_800
SMALL = ExtractLimits(total_bytes=100_000, ratio=10, ratio_from=20_000)


@pytest.fixture
def unpack(tmp_path):
    def run(data, limits=None):
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


def zip_bytes(*entries, compression=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, data, mode in entries:
            info = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            info.create_system, info.external_attr, info.compress_type = 3, mode << 16, compression
            archive.writestr(info, data)
    return out.getvalue()


FILE, RUN, LINK, DIR = stat.S_IFREG | 0o644, stat.S_IFREG | 0o755, stat.S_IFLNK | 0o777, stat.S_IFDIR | 0o755


@pytest.mark.rule("source-6")
def test_a_zip_source_is_unpacked(unpack):
    entries = [
        ("p-1/", b"", DIR),
        ("p-1/run", b"r", RUN),
        ("p-1/a", b"a", FILE),
        ("p-1/l", b"a", LINK),
        ("p-1/plain", b"", 0),
    ]
    extracted = unpack(zip_bytes(*entries))
    assert (extracted.root.name, extracted.newest_mtime) == ("p-1", Y2020)
    assert (extracted.root / "l").readlink().name == "a"
    assert [oct(stat.S_IMODE((extracted.root / name).stat().st_mode)) for name in ("run", "a", "plain")] == [
        "0o755",
        "0o644",
        "0o644",
    ]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata"])
@pytest.mark.rule("epoch-8")
def test_times_of_zip_members_do_not_depend_on_the_zone(unpack, monkeypatch, zone):
    monkeypatch.setenv("TZ", zone)
    assert unpack(zip_bytes(("p/a", b"", FILE))).newest_mtime == Y2020


@pytest.mark.parametrize(
    ("entries", "rule"),
    [
        ([("/etc/x", b"", FILE)], "absolute"),
        ([("p/../../canary", b"x", FILE)], "climbs"),
        ([("p/l", b"../../canary", LINK)], "leads out"),
        ([("p/l", b"../..", LINK), ("p/l/canary", b"x", FILE)], "lies below"),
        ([("p/l", b"../../canary", LINK), ("p/l", b"x", FILE)], "came before"),
        ([("p/l", b"/etc/passwd", LINK)], "absolute"),
        ([("p/l", b"a" * 5000, LINK)], "link target"),
        ([("p/null", b"", stat.S_IFCHR | 0o666)], "device"),
        ([("p/pipe", b"", stat.S_IFIFO | 0o666)], "pipe"),
    ],
)
@pytest.mark.usefixtures("outside")
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_hostile_zip_archives_are_refused(unpack, entries, rule):
    with pytest.raises(SourceError, match=rule):
        unpack(zip_bytes(*entries))


@pytest.mark.usefixtures("outside")
def test_separators_of_dos_are_separators_and_cannot_climb(unpack):
    data = zip_bytes(("p\\a\\b", b"x", 0), ("p\\..\\..\\canary", b"x", 0))
    at = [index for index in range(len(data)) if data.startswith(b"PK\x01\x02", index)]
    made_on_dos = bytearray(data)
    for index in at:
        made_on_dos[index + 5] = 0
    with pytest.raises(SourceError, match="climbs"):
        unpack(bytes(made_on_dos))


@pytest.mark.parametrize(("data", "rule"), [(os.urandom(200_000), "over 100000 bytes"), (bytes(90_000), "10 times")])
def test_zip_bombs_are_refused(unpack, data, rule):
    with pytest.raises(SourceError, match=rule):
        unpack(zip_bytes(("p/bomb", data, FILE)), SMALL)


def test_encrypted_and_cut_zip_members_are_refused(unpack, tmp_path):
    data = zip_bytes(("p/a", os.urandom(2000), FILE))
    encrypted = bytearray(data)
    encrypted[data.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(SourceError, match="encrypted"):
        unpack(bytes(encrypted))
    wrong = bytearray(data)
    wrong[200] ^= 0xFF
    (tmp_path / "archive").write_bytes(wrong)
    with pytest.raises(SourceError, match="broken archive"):
        extract(tmp_path / "archive", tmp_path / "again")
