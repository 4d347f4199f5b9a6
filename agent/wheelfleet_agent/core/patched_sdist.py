"""A source tree packed as an sdist whose bytes depend on nothing but the tree, the epoch and what was touched.

Not the time zone, the umask, the order of the disk, the hash seed, the host's zlib. Touched members
are newer than all others: a patched ``.pyx`` beside its shipped ``.c`` is compiled again only so.
"""

import hashlib
import os
import stat
from collections.abc import Container, Iterator, Mapping, Sequence
from pathlib import Path

from packaging.version import Version

from wheelfleet_shared.core.packed_tree import pack_tree
from wheelfleet_shared.errors import SourceError
from wheelfleet_shared.names import Distribution

from .archive_limits import ExtractLimits
from .archive_names import Parts, check_links, raw_name

TOUCHED_LATER = 2
"""Seconds; zip, and so some copies of a tree, counts time in steps of two."""


def stem(distribution: Distribution, version: Version) -> str:
    """Name of the top folder, and of the sdist without ``.tar.gz`` (PEP 625)."""
    return f"{distribution.replace('-', '_')}-{version}"


def fingerprints(root: Path) -> dict[str, str]:
    """Each file and link below the root with a digest of its content; folders have none.

    Compare two with ``changed``. Cost: reads every file once, about 1 GB/s.
    """
    return {"/".join(parts): _fingerprint(root.joinpath(*parts)) for parts in _walk(root) if parts}


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> frozenset[str]:
    """What is new or different afterwards; what is gone is not in the sdist and so not here."""
    return frozenset(name for name, content in after.items() if before.get(name) != content)


def check_tree(root: Path) -> None:
    """No link below the root leaves it, and nothing but files, folders and links is there. Raises SourceError.

    A patch may have brought a link, and a plugin anything.
    """
    members = list(_walk(root))
    _check_links(root, members)
    for parts in members:
        mode = root.joinpath(*parts).lstat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)):
            raise SourceError(f"{'/'.join(parts)}: neither file, folder nor link", "look at what the patches make")


def pack_sdist(root: Path, top: str, epoch: int, touched: Container[str], destination: Path) -> None:
    """The tree stands in destination as ``top/…`` in an uncompressed ``.tar.gz``.

    Every member's mtime is the epoch, a touched one's (names relative to root) two seconds later.
    Members are sorted; modes are 0644 or 0755, owner 0 without a name. Raises SourceError for a
    link that leaves the tree.
    """
    members = sorted(_walk(root), key=lambda parts: [raw_name(part) for part in parts])
    _check_links(root, members)

    def mtime(parts: Parts) -> int:
        return epoch + (TOUCHED_LATER if "/".join(parts) in touched else 0)

    pack_tree(root, top, members, mtime, destination)


def _walk(root: Path) -> Iterator[Parts]:
    """Places of the root, folders, files and links; links to folders are not entered."""
    for folder, folders, files in os.walk(root):
        parts = Path(folder).relative_to(root).parts
        yield parts
        for name in files:
            yield (*parts, name)
        yield from ((*parts, name) for name in folders if (Path(folder) / name).is_symlink())


def _check_links(root: Path, members: Sequence[Parts]) -> None:
    links = {parts: str(path.readlink()) for parts in members if (path := root.joinpath(*parts)).is_symlink()}
    folders = {parts for parts in members if parts not in links and root.joinpath(*parts).is_dir()}
    check_links(links, folders, ExtractLimits())


def _fingerprint(path: Path) -> str:
    if path.is_symlink():
        return f"link {path.readlink()}"
    if path.is_dir():
        return "folder"
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
