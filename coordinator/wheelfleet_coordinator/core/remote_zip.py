"""Members of a zip file that lies elsewhere, read by ranges: ask, fetch what is missing, ask again.

No I/O here: ``read_members`` raises ``Missing`` with the range that it needs next, and is called
again once the window holds it. A wheel of any size takes two or three ranges.
"""

import io
import zipfile
from collections.abc import Callable

from wheelfleet_shared.errors import PolicyError

TAIL = 64 * 1024
LARGEST_MEMBER = 16 * 1024 * 1024


class Missing(Exception):
    """The next range to fetch."""

    def __init__(self, start: int, length: int) -> None:
        super().__init__(f"{length} bytes from {start}")
        self.start = start
        self.length = length


class Window(io.RawIOBase):
    """A file of which only some ranges are known; reading elsewhere raises Missing."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size
        self._ranges: list[tuple[int, bytes]] = []
        self._position = 0

    def add(self, start: int, data: bytes) -> None:
        """Make a range known."""
        self._ranges.append((start, data))

    def seekable(self) -> bool:
        """Always."""
        return True

    def readable(self) -> bool:
        """Always, where the range is known."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move, as files do."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        """Where the next read begins."""
        return self._position

    def read(self, size: int = -1) -> bytes:
        """The bytes from here on; raises Missing where they are not known."""
        end = self._size if size is None or size < 0 else min(self._size, self._position + size)
        for start, data in self._ranges:
            if start <= self._position and end <= start + len(data):
                found = data[self._position - start : end - start]
                self._position = end
                return found
        raise Missing(self._position, end - self._position)


def read_members(window: Window, wanted: Callable[[str], bool]) -> tuple[list[zipfile.ZipInfo], dict[str, bytes]]:
    """The directory of the zip file, and the content of the members that are wanted.

    Raises Missing for what the window lacks; PolicyError for what is no zip file or too large.
    """
    window.seek(0)
    try:
        with zipfile.ZipFile(window) as archive:
            members = archive.infolist()
            return members, {info.filename: _content(archive, info) for info in members if wanted(info.filename)}
    except zipfile.BadZipFile as error:
        raise PolicyError(f"the wheel is no zip file: {error}") from error


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    if info.file_size > LARGEST_MEMBER:
        raise PolicyError(f"{info.filename} is {info.file_size} bytes; metadata of that size is refused")
    return archive.read(info)
