"""What an archive may cost before it counts as a bomb, and who counts it."""

import msgspec

from wheelfleet_shared.errors import SourceError

_BOMB = "look at the archive by hand; if it is genuine, raise the limits of this agent"


class ExtractLimits(msgspec.Struct, frozen=True):
    """Bounds of one extraction.

    members: files, folders (also those only implied by names) and links. total_bytes: decompressed.
    ratio: decompressed over compressed, looked at only beyond ``ratio_from`` bytes, since small
    archives of test data compress well. depth: components of a name. path_bytes: of a whole name
    or link target; far below PATH_MAX (4096), as build folders add their own prefix.
    """

    members: int = 200_000
    total_bytes: int = 8 << 30
    ratio: int = 200
    ratio_from: int = 256 << 20
    depth: int = 64
    path_bytes: int = 1024


class Meter:
    """Counts decompressed bytes of one archive against its limits."""

    def __init__(self, limits: ExtractLimits, archive_size: int) -> None:
        self._limits = limits
        self._archive_size = max(archive_size, 1)
        self._bytes = 0

    def add(self, count: int, member: str) -> None:
        """The bytes are counted.

        Raises SourceError when they exceed the limits; call it before the bytes are kept.
        """
        self._bytes += count
        if self._bytes > self._limits.total_bytes:
            raise SourceError(f"{member!r}: the archive unpacks to over {self._limits.total_bytes} bytes", _BOMB)
        if self._bytes > self._limits.ratio_from and self._bytes > self._limits.ratio * self._archive_size:
            raise SourceError(f"{member!r}: the archive unpacks to over {self._limits.ratio} times its size", _BOMB)
