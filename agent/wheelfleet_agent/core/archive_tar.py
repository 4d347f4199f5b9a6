"""Members of a tar archive, one after the other, into a tree."""

import lzma
import tarfile
import zlib
from collections.abc import Iterator
from typing import IO, cast

from wheelfleet_shared.errors import SourceError

from .archive_limits import Meter
from .archive_names import refused
from .archive_tree import Tree

_CHUNK = 1 << 16
_BROKEN = "fetch it again; if it stays so, upstream's file is broken"


class _Metered:
    """A decompressed stream that only runs forward, is counted, and gives no huge reads.

    tarfile reads a header of any announced size in one piece; a bound on single reads bounds the
    memory that a crafted header can take.
    """

    def __init__(self, stream: IO[bytes], meter: Meter) -> None:
        self._stream = stream
        self._meter = meter
        self._at = 0
        self.last_block = b""

    def tell(self) -> int:
        return self._at

    def read(self, count: int) -> bytes:
        if count > _CHUNK:
            raise SourceError(f"broken archive: a header of {count} bytes", _BROKEN)
        try:
            data = self._stream.read(count)
        except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
            raise SourceError(f"broken archive: {error}", _BROKEN) from error
        self._at += len(data)
        self._meter.add(len(data), "the whole archive")
        self.last_block = data
        return data

    def seek(self, position: int) -> None:
        while self._at < position:
            if not self.read(min(_CHUNK, position - self._at)):
                raise SourceError("broken archive: it ends in the middle of a member", _BROKEN)
        if self._at > position:
            raise SourceError("broken archive: its members overlap", _BROKEN)


def unpack_tar(stream: IO[bytes], tree: Tree, meter: Meter) -> None:
    """Every member of the decompressed stream stands in the tree.

    tarfile only parses headers and delimits contents; nothing is written by it. Raises SourceError
    for a broken archive, and for kinds of members that no source needs.
    """
    metered = _Metered(stream, meter)
    try:
        with tarfile.open(fileobj=cast("IO[bytes]", metered), mode="r:", encoding="utf-8") as archive:
            while (member := archive.next()) is not None:
                _unpack_member(archive, member, tree)
    except (tarfile.TarError, ValueError, EOFError) as error:
        raise SourceError(f"broken archive: {error}", _BROKEN) from error
    # tarfile takes a damaged header for the end of the archive; the true end is empty or zeros.
    if metered.last_block.strip(b"\0"):
        raise SourceError("broken archive: a damaged header in its middle", _BROKEN)


def _unpack_member(archive: tarfile.TarFile, member: tarfile.TarInfo, tree: Tree) -> None:
    if member.issparse():
        raise refused(member.name, "it is a sparse file")
    if member.isdir():
        tree.folder(member.name, member.mtime)
    elif member.isreg():
        tree.file(member.name, _contents(archive, member), member.mtime, executable=bool(member.mode & 0o100))
    elif member.issym():
        tree.link(member.name, member.linkname, member.mtime)
    elif member.islnk():
        tree.copy(member.name, member.linkname, member.mtime)
    else:
        kinds = {tarfile.FIFOTYPE: "a pipe", tarfile.CHRTYPE: "a device", tarfile.BLKTYPE: "a device"}
        raise refused(member.name, f"it is {kinds.get(member.type, 'neither file, folder nor link')}")


def _contents(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    opened = archive.extractfile(member)
    left = member.size
    while opened is not None and left > 0:
        chunk = opened.read(min(_CHUNK, left))
        if not chunk:
            raise refused(member.name, "the archive ends in the middle of it")
        left -= len(chunk)
        yield chunk
