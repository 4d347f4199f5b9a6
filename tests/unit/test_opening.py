"""The source that a shell opens in."""

import io
import tarfile
from pathlib import Path

import pytest

from wheelfleet_coordinator.cli.opening import unpack
from wheelfleet_shared.errors import InputError

EPOCH = 1_577_836_800


def packed(folder: Path, *members: tuple[str, str]) -> Path:
    """An archive; a member's second part is its text, or behind ``->`` where a link leads."""
    archive = folder / "demo-1.0.tar.gz"
    with tarfile.open(archive, "w:gz") as out:
        for name, text in members:
            info = tarfile.TarInfo(name)
            info.mtime = EPOCH
            if text.startswith("->"):
                info.type, info.linkname = tarfile.SYMTYPE, text[2:]
            info.size = 0 if info.issym() else len(text)
            out.addfile(info, io.BytesIO(text.encode()))
    return archive


@pytest.mark.rule("daily-8")
def test_files_links_and_times_are_as_packed(tmp_path):
    archive = packed(tmp_path, ("demo-1.0/sub/a", "text"), ("demo-1.0/b", "->sub/a"), ("demo-1.0/sub/c", "->../b"))
    source = unpack(archive, tmp_path / "source")
    assert source == tmp_path / "source" / "demo-1.0"
    assert (source / "sub" / "c").read_text() == "text"
    assert (source / "sub" / "a").stat().st_mtime == EPOCH


@pytest.mark.parametrize("lacks", [True, False])
def test_a_python_without_filters_for_archives_can_do_it(tmp_path, monkeypatch, lacks):
    if lacks:
        monkeypatch.setattr(tarfile.TarFile, "extractall", _as_in_3_11_2(tarfile.TarFile.extractall))
    assert (unpack(packed(tmp_path, ("demo-1.0/a", "text")), tmp_path / "source") / "a").is_file()


def _as_in_3_11_2(extractall):
    def without_filter(self, path=".", members=None, *, numeric_owner=False):
        extractall(self, path, members, numeric_owner=numeric_owner)

    return without_filter


@pytest.mark.parametrize(
    "members",
    [
        [("/demo-1.0/a", "text")],
        [("../a", "text")],
        [("demo-1.0/sub/../../../a", "text")],
        [("demo-1.0/a", "->/etc")],
        [("demo-1.0/a", "->../../etc")],
        [("demo-1.0/a", "->."), ("demo-1.0/a/b", "text")],
    ],
)
def test_what_would_leave_is_refused_and_nothing_unpacked(tmp_path, members):
    with pytest.raises(InputError, match="leave its folder"):
        unpack(packed(tmp_path, *members), tmp_path / "source")
    assert not (tmp_path / "source").exists()


def test_two_folders_are_no_sdist(tmp_path):
    with pytest.raises(InputError, match="2 folders"):
        unpack(packed(tmp_path, ("a/a", ""), ("b/b", "")), tmp_path / "source")
