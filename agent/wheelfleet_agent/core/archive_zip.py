"""Members of a zip archive, one after the other, into a tree."""

import stat
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import IO

from wheelfleet_shared.errors import SourceError

from .archive_names import refused
from .archive_tree import EARLIEST, Tree

_CHUNK = 1 << 16
_ENCRYPTED = 0x1
_MADE_ON_DOS = 0
_MADE_ON_UNIX = 3
_LONGEST_LINK = 4096


def unpack_zip(archive: IO[bytes], tree: Tree) -> None:
    """Every member of the zip archive stands in the tree.

    Raises SourceError for a broken archive, and for kinds of members that no source needs. Times
    are read as UTC: the format holds no zone, and the host's must not matter.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            for member in opened.infolist():
                _unpack_member(opened, member, tree)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        next_step = "fetch it again; if it stays so, upstream's file is broken"
        raise SourceError(f"broken archive: {error}", next_step) from error


def _unpack_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, tree: Tree) -> None:
    # DOS tools of old wrote their own separator, which no name of a source holds otherwise.
    name = member.filename.replace("\\", "/") if member.create_system == _MADE_ON_DOS else member.filename
    mode = member.external_attr >> 16 if member.create_system == _MADE_ON_UNIX else 0
    if member.flag_bits & _ENCRYPTED:
        raise refused(name, "it is encrypted")
    if name.endswith("/") or stat.S_ISDIR(mode):
        tree.folder(name, _mtime(member))
    elif stat.S_ISLNK(mode):
        tree.link(name, _link_target(archive, member), _mtime(member))
    elif stat.S_IFMT(mode) in {0, stat.S_IFREG}:
        tree.file(name, _contents(archive, member), _mtime(member), executable=bool(mode & 0o100))
    else:
        raise refused(name, "it is a device or a pipe")


def _mtime(member: zipfile.ZipInfo) -> float:
    try:
        return datetime(*member.date_time, tzinfo=UTC).timestamp()
    except ValueError:
        return EARLIEST


def _link_target(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> str:
    with archive.open(member) as opened:
        data = opened.read(_LONGEST_LINK + 1)
    if len(data) > _LONGEST_LINK:
        raise refused(member.filename, f"its link target is over {_LONGEST_LINK} bytes long")
    return data.decode("utf-8", "surrogateescape")


def _contents(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(member) as opened:
        while chunk := opened.read(_CHUNK):
            yield chunk
