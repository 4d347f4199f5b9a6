"""Wheels that strangers made are refused in words, whatever is wrong with the file."""

import io
import zipfile
import zlib
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from wheelfleet_coordinator.app import wheel_files
from wheelfleet_coordinator.app.wheel_files import read_wheel
from wheelfleet_coordinator.core import cached_wheel
from wheelfleet_coordinator.core.cached_wheel import LISTS, build_lists
from wheelfleet_shared.errors import PolicyError
from wheelfleet_shared.names import NodeKey

INFO = "tool-2.0.dist-info"
_PLAIN = b"\x14\x00\x00\x00\x08\x00"
"""Of a header: the version it needs, its flags, and that it is deflated."""
_DEFLATED = zlib.compress(b"Metadata", wbits=-15)


def zipped(*names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as sink:
        for name in names:
            sink.writestr(zipfile.ZipInfo(name), b"Metadata", zipfile.ZIP_DEFLATED)
    return stream.getvalue()


ILL = zipped(*(f"{INFO}/{name}" for name in ("METADATA", "WHEEL", "RECORD")))


@pytest.mark.parametrize(
    "data",
    [
        b"no zip file",
        zipped("x"),
        zipped(f"{INFO}/WHEEL"),
        ILL,
        ILL.replace(_PLAIN, b"\x14\x00\x00\x00\x63\x00"),  # packed in a way that nobody knows
        ILL.replace(_PLAIN, b"\x14\x00\x01\x00\x08\x00"),  # encrypted
        ILL.replace(_DEFLATED, b"\xff" * len(_DEFLATED)),
    ],
)
def test_what_is_no_wheel_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "tool-2.0-py3-none-any.whl"
    path.write_bytes(data)
    with pytest.raises(PolicyError, match=r"tool-2\.0-py3-none-any\.whl"):
        read_wheel(path, NodeKey(canonicalize_name("tool"), "2.0"))


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheel_files, "LARGEST_MEMBER", 4)
    path = tmp_path / "tool-2.0-py3-none-any.whl"
    path.write_bytes(ILL)
    with pytest.raises(PolicyError, match="unpacks to 8 bytes"):
        read_wheel(path, NodeKey(canonicalize_name("tool"), "2.0"))


@pytest.mark.parametrize("spoil", [(_PLAIN, b"\x14\x00\x01\x00\x08\x00"), (_DEFLATED, b"\xff" * len(_DEFLATED))])
def test_lists_that_cannot_be_read_tell_nothing(tmp_path: Path, spoil: tuple[bytes, bytes]) -> None:
    path = tmp_path / "tool-2.0-py3-none-any.whl"
    path.write_bytes(zipped(*(f"{INFO}/{name}" for name in LISTS.values())).replace(*spoil))
    with pytest.raises(PolicyError, match="is no wheel"):
        build_lists(path, INFO)


def test_a_list_that_is_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cached_wheel, "LARGEST_LIST", 4)
    path = tmp_path / "tool-2.0-py3-none-any.whl"
    path.write_bytes(zipped(*(f"{INFO}/{name}" for name in LISTS.values())))
    with pytest.raises(PolicyError, match="more build requirements"):
        build_lists(path, INFO)
