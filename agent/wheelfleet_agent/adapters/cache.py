"""The cache of downloaded files kept within its size: what was used longest ago goes first."""

import contextlib
from pathlib import Path
from typing import NamedTuple


class _Cached(NamedTuple):
    used: float
    size: int
    path: Path


def trim(folder: Path, limit: int) -> int:
    """The files below the folder take at most ``limit`` bytes; the bytes that were freed.

    A file is used when it is fetched or asked for, which sets its mtime. Cost: one look at each file.
    Call it only while nothing is being built, since builds read the cache by path.
    """
    cached = []
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            if path.is_file():
                found = path.stat()
                cached.append(_Cached(found.st_mtime, found.st_size, path))
    total, freed = sum(item.size for item in cached), 0
    for item in sorted(cached):
        if total - freed <= limit:
            break
        with contextlib.suppress(OSError):
            item.path.unlink()
            freed += item.size
    return freed
