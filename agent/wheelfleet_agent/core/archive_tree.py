"""The tree that an archive unpacks to: every write goes through folders that are surely ours.

Each component is opened relative to its parent's descriptor and never through a symbolic link.
Symbolic links are only noted while members arrive and are made when all is known, so no member
can be written through one.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, Self

from .archive_limits import ExtractLimits, Meter
from .archive_names import Parts, check_links, raw_name, refused, split_name

EARLIEST = 315_532_800
"""1980-01-01: zip, and so every wheel, knows no time before it."""
LATEST = 4_354_819_198
"""2107-12-31 23:59:58: nor any after it."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OLD_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_CHUNK = 1 << 16

Kind = Literal["folder", "file", "link"]


def zip_time(seconds: float) -> int:
    """The whole second, moved into what a zip archive can hold."""
    return int(min(max(seconds, EARLIEST), LATEST))


class Tree:
    """An extraction under way, below a folder that was empty before.

    Modes are 0644 or 0755 whatever the umask; mtimes are the archive's, within what zip can hold.
    All methods raise SourceError, naming member and rule, and leave what was written so far.
    """

    def __init__(self, root: Path, limits: ExtractLimits, archive_size: int) -> None:
        self._root = os.open(root, _FOLDER)
        self._limits = limits
        self._meter = Meter(limits, archive_size)
        self._kinds: dict[Parts, Kind] = {(): "folder"}
        self._links: dict[Parts, str] = {}
        self._times: dict[Parts, int] = {}
        self._last: tuple[Parts, int] = ((), os.dup(self._root))
        self.newest = EARLIEST

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._last[1])
        os.close(self._root)

    def folder(self, member: str, mtime: float) -> None:
        """The folder exists; having been there before is no fault."""
        parts = split_name(member, self._limits)
        with self._opened(parts, member):
            self._stamp(parts, mtime)

    def file(self, member: str, chunks: Iterable[bytes], mtime: float, *, executable: bool) -> None:
        """The file holds the chunks; of two members with one name the later holds, as in tar."""
        parts = self._claim(member, "file")
        with self._opened(parts[:-1], member) as folder:
            name = raw_name(parts[-1])
            if self._kinds.get(parts) == "file":
                os.unlink(name, dir_fd=folder)
            self._note(parts, "file", member)
            time = self._noted_time(mtime)
            self._write(os.open(name, _NEW_FILE, 0o600, dir_fd=folder), member, chunks, executable, time)

    def copy(self, member: str, original: str, mtime: float) -> None:
        """A hard link of the archive stands as a file of its own with equal content.

        Only an earlier file of the same archive can be the original.
        """
        source = split_name(original, self._limits)
        if self._kinds.get(source) != "file" or source == split_name(member, self._limits):
            raise refused(member, f"as a hard link to {original!r} it names no earlier file of this archive")
        with self._opened(source[:-1], member) as folder:
            descriptor = os.open(raw_name(source[-1]), _OLD_FILE, dir_fd=folder)
        with os.fdopen(descriptor, "rb") as opened:
            executable = bool(os.fstat(descriptor).st_mode & 0o100)
            self.file(member, iter(lambda: opened.read(_CHUNK), b""), mtime, executable=executable)

    def link(self, member: str, target: str, mtime: float) -> None:
        """The symbolic link is noted; ``finish`` checks and makes it."""
        parts = self._claim(member, "link")
        with self._opened(parts[:-1], member):
            self._note(parts, "link", member)
        self._links[parts] = target
        self._stamp(parts, mtime)

    def finish(self) -> int:
        """All links are made, all times set; the number of files, folders and links."""
        folders = {parts for parts, kind in self._kinds.items() if kind == "folder"}
        check_links(self._links, folders, self._limits)
        for parts, target in self._links.items():
            with self._opened(parts[:-1], "/".join(parts)) as folder:
                os.symlink(raw_name(target), raw_name(parts[-1]), dir_fd=folder)
        for parts in sorted(self._times, key=len, reverse=True):
            self._restore_time(parts)
        return len(self._kinds) - 1

    def top_folders(self) -> list[str]:
        """Names of what lies in the root, but for the resource forks that macOS adds."""
        names = {parts[0] for parts in self._kinds if parts}
        return sorted(name for name in names if not name.startswith("._"))

    def _claim(self, member: str, kind: Kind) -> Parts:
        parts = split_name(member, self._limits)
        if not parts:
            raise refused(member, "it would replace the root")
        present = self._kinds.get(parts)
        if present is not None and not (present == kind == "file"):
            raise refused(member, f"a {present} of this name came before it")
        return parts

    def _note(self, parts: Parts, kind: Kind, member: str) -> None:
        self._kinds[parts] = kind
        if len(self._kinds) > self._limits.members:
            raise refused(member, f"the archive has over {self._limits.members} members")

    def _stamp(self, parts: Parts, mtime: float) -> None:
        if parts:
            self._times[parts] = self._noted_time(mtime)

    def _noted_time(self, mtime: float) -> int:
        time = zip_time(mtime)
        self.newest = max(self.newest, time)
        return time

    def _write(self, descriptor: int, member: str, chunks: Iterable[bytes], executable: bool, time: int) -> None:
        with os.fdopen(descriptor, "wb") as opened:
            for chunk in chunks:
                self._meter.add(len(chunk), member)
                opened.write(chunk)
            opened.flush()
            os.fchmod(descriptor, 0o755 if executable else 0o644)
            os.utime(descriptor, (time, time))

    def _restore_time(self, parts: Parts) -> None:
        times = (self._times[parts], self._times[parts])
        with self._opened(parts[:-1], "/".join(parts)) as folder:
            os.utime(raw_name(parts[-1]), times, dir_fd=folder, follow_symlinks=False)

    @contextmanager
    def _opened(self, parts: Parts, member: str) -> Iterator[int]:
        """A descriptor of the folder, made where it is missing; the last one stays open for the members beside it."""
        known, descriptor = self._last
        if known == parts:
            yield descriptor
            return
        descriptor = os.dup(self._root)
        try:
            for depth, part in enumerate(parts, 1):
                inner = self._step(descriptor, parts[:depth], part, member)
                os.close(descriptor)
                descriptor = inner
        except BaseException:
            os.close(descriptor)
            raise
        os.close(self._last[1])
        self._last = (parts, descriptor)
        yield descriptor

    def _step(self, outer: int, place: Parts, part: str, member: str) -> int:
        kind = self._kinds.get(place)
        if kind is None:
            self._note(place, "folder", member)
            os.mkdir(raw_name(part), 0o700, dir_fd=outer)
        elif kind != "folder":
            raise refused(member, f"it lies below {'/'.join(place)!r}, which is a {kind}")
        inner = os.open(raw_name(part), _FOLDER, dir_fd=outer)
        if kind is None:
            os.fchmod(inner, 0o755)
        return inner
