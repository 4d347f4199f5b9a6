"""Sources that are no file yet: trees in git, and folders of this machine, packed in the same bytes each time."""

import asyncio
import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

from wheelfleet_shared.core.packed_tree import Parts, pack_tree
from wheelfleet_shared.errors import InputError, SourceError

from ..core.git_url import GitSource, is_git, read_git_url
from ..core.pinned_sources import Pin
from .git_process import Git
from .git_tree import check_out, commit_of

_LEFT_OUT: Final = frozenset({".git", ".hg", ".svn", "__pycache__"})
_FIXED_TIME: Final = 315_532_800
"""1980-01-01: the times in a folder tell when it was copied, not what it is."""


class Packed(NamedTuple):
    """A file made of a tree; size in bytes. commit: empty for folders."""

    sha256: str
    size: int
    commit: str = ""


class SourceTrees:
    """files: whether this machine's own files may be read, which is right where everybody who starts runs may."""

    def __init__(self, environment: Mapping[str, str], *, files: bool = False) -> None:
        self._environment = environment
        self._files = files

    async def pin(self, url: str, file_name: str) -> Pin:
        """The source under a name by which it cannot change; what lies in git is not fetched for that.

        file_name: of the archive that is made of it. Raises SourceError where it is not there or must not be read,
        InfrastructureError where nobody answers.
        """
        self._check(url)
        if is_git(url):
            source = _read(url)
            with tempfile.TemporaryDirectory(prefix="wheelfleet-git-") as home:
                commit = await commit_of(Git(Path(home), self._environment, source.transport), source)
            return Pin(source.at(commit).url)
        with tempfile.NamedTemporaryFile(prefix="wheelfleet-folder-") as place:
            packed = await self.pack(url, file_name, Path(place.name))
        return Pin(url, packed.sha256 if packed is not None else await asyncio.to_thread(_digest, _path_of(url)))

    async def pack(self, url: str, file_name: str, to: Path) -> Packed | None:
        """The tree under the URL lies at ``to`` as one archive; None where it is a file already. Raises as ``pin``."""
        if is_git(url):
            self._check(url)
            return await self._pack_git(_read(url), file_name, to)
        if not url.startswith("file:") or not self._files:
            return None
        folder = _path_of(url)
        if not folder.is_dir():
            return None
        return await asyncio.to_thread(_pack, folder, file_name, _FIXED_TIME, to)

    async def _pack_git(self, source: GitSource, file_name: str, to: Path) -> Packed:
        with tempfile.TemporaryDirectory(prefix="wheelfleet-git-") as place:
            home, folder = Path(place) / "home", Path(place) / "tree"
            home.mkdir()
            git = Git(home, self._environment, source.transport)
            pinned = source.at(await commit_of(git, source))
            committed = await check_out(git, pinned, folder)
            packed = await asyncio.to_thread(_pack, folder, file_name, committed, to)
        return packed._replace(commit=pinned.ref)

    def _check(self, url: str) -> None:
        local = url.startswith(("file:", "git+file:"))
        if local and not self._files:
            raise SourceError(
                f"{url} lies on the coordinator's machine, and this coordinator reads no files of its own",
                "serve it over http or git, or set local_files in the coordinator's configuration",
            )
        if local and not _path_of(url).exists():
            raise SourceError(f"{_path_of(url)} is not there", "correct download_source in the settings")


def _read(url: str) -> GitSource:
    try:
        return read_git_url(url)
    except InputError as error:
        raise SourceError(error.what, error.next_step) from error


def _path_of(url: str) -> Path:
    place = _read(url).repository if is_git(url) else url
    return Path(unquote(urlsplit(place).path))


def _pack(folder: Path, file_name: str, at: int, to: Path) -> Packed:
    """All below the folder, but for what tools of version control and Python leave there, with one time."""
    top = file_name.removesuffix(".gz").removesuffix(".tar").removesuffix(".zip")
    members = sorted(_members(folder), key=lambda parts: [os.fsencode(part) for part in parts])
    pack_tree(folder, top, members, lambda _: at, to)
    return Packed(_digest(to), to.stat().st_size)


def _members(root: Path) -> Iterator[Parts]:
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in _LEFT_OUT]
        parts = Path(folder).relative_to(root).parts
        yield parts
        yield from ((*parts, name) for name in files if name not in _LEFT_OUT)
        yield from ((*parts, name) for name in folders if (Path(folder) / name).is_symlink())


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}", "correct the settings, or its rights") from error
