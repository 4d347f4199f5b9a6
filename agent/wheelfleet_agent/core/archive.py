"""An upstream archive, unpacked so that nothing in it can reach outside its folder.

The standard library's extraction filters are not used: a chain of links longer than PATH_MAX
escapes them on several releases (CVE-2025-4517), and Python 3.11.2 has none.
"""

import bz2
import gzip
import lzma
from pathlib import Path
from typing import IO, cast

import msgspec

from wheelfleet_shared.errors import SourceError

from .archive_limits import ExtractLimits, Meter
from .archive_tar import unpack_tar
from .archive_tree import Tree
from .archive_zip import unpack_zip

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_TAR_MAGIC = slice(257, 262)


class Extracted(msgspec.Struct, frozen=True):
    """An unpacked archive.

    root: its single top folder. newest_mtime: of any member, seconds since 1970, between
    1980-01-01 and 2107-12-31: a function of the archive's bytes. members: files, folders, links.
    """

    root: Path
    newest_mtime: int
    members: int


def extract(archive: Path, destination: Path, limits: ExtractLimits | None = None) -> Extracted:
    """The archive (tar, also with gzip, bzip2 or xz; zip) stands unpacked in the new folder.

    What it is is told by its bytes, not its name. Modes are 0644 or 0755, mtimes are restored,
    symbolic links inside the tree are kept, hard links become files. destination must not exist.
    Raises SourceError naming member and rule for anything unsafe, broken, or over the limits;
    what was unpacked until then is left, still inside destination.
    """
    bounds = limits or ExtractLimits()
    size = archive.stat().st_size
    destination.mkdir(parents=True)
    with archive.open("rb") as opened, Tree(destination, bounds, size) as tree:
        _unpack(opened, tree, Meter(bounds, size))
        members = tree.finish()
        return Extracted(destination / _top_folder(tree, destination), tree.newest, members)


def _unpack(opened: IO[bytes], tree: Tree, meter: Meter) -> None:
    head = opened.read(512)
    opened.seek(0)
    if head.startswith(_ZIP):
        unpack_zip(opened, tree)
    elif head.startswith(b"\x1f\x8b"):
        with gzip.GzipFile(fileobj=opened) as stream:
            unpack_tar(cast("IO[bytes]", stream), tree, meter)
    elif head.startswith(b"BZh"):
        with bz2.BZ2File(opened) as stream:
            unpack_tar(cast("IO[bytes]", stream), tree, meter)
    elif head.startswith(b"\xfd7zXZ\x00"):
        with lzma.LZMAFile(opened) as stream:
            unpack_tar(cast("IO[bytes]", stream), tree, meter)
    elif head[_TAR_MAGIC] == b"ustar":
        unpack_tar(opened, tree, meter)
    else:
        raise SourceError("the source is no archive: neither tar (plain, gzip, bzip2, xz) nor zip", "check its URL")


def _top_folder(tree: Tree, destination: Path) -> str:
    names = tree.top_folders()
    if len(names) == 1 and (destination / names[0]).is_dir() and not (destination / names[0]).is_symlink():
        return names[0]
    shown = ", ".join(names[:5]) or "nothing"
    raise SourceError(f"the archive has no single top folder but {shown}", "give download_source another archive")
