"""A folder packed as an uncompressed ``.tar.gz`` whose bytes depend on what it is told and on the files alone.

Not the time zone, the umask, the order of the disk, the hash seed, the host's zlib.
"""

import stat
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, cast

from ..errors import SourceError
from .stored_gzip import StoredGzip

Parts = tuple[str, ...]
"""A place below the root; ``()`` is the root itself."""


def pack_tree(root: Path, top: str, members: Iterable[Parts], mtime: Callable[[Parts], int], destination: Path) -> None:
    """The members stand in destination as ``top/…``, in the order in which they come.

    Modes are 0644 or 0755, owner 0 without a name; links stay links. Raises SourceError for what is
    neither file, folder nor link.
    """
    with destination.open("wb") as opened:
        packed = StoredGzip(opened)
        sink = cast("IO[bytes]", packed)
        with tarfile.TarFile(fileobj=sink, mode="w", format=tarfile.PAX_FORMAT, encoding="utf-8") as archive:
            for parts in members:
                _add(archive, root.joinpath(*parts), "/".join((top, *parts)), mtime(parts))
        packed.close()


def _add(archive: tarfile.TarFile, path: Path, name: str, mtime: int) -> None:
    status = path.lstat()
    member = tarfile.TarInfo(name)
    member.mtime = mtime
    member.mode = 0o755 if status.st_mode & stat.S_IXUSR or stat.S_ISDIR(status.st_mode) else 0o644
    if stat.S_ISDIR(status.st_mode):
        member.type = tarfile.DIRTYPE
        archive.addfile(member)
    elif stat.S_ISLNK(status.st_mode):
        member.type = tarfile.SYMTYPE
        member.linkname = str(path.readlink())
        archive.addfile(member)
    elif stat.S_ISREG(status.st_mode):
        member.size = status.st_size
        with path.open("rb") as opened:
            archive.addfile(member, opened)
    else:
        raise SourceError(f"{name}: neither file, folder nor link", "take it out of the source, or out of the patches")
