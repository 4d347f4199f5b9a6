"""What the folders of a build take on the disk, watched while it runs."""

import asyncio
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from ..core.processes import Limits

_SHARE: Final = 20
"""A walk is followed by a pause of this many times its length: at most 5 % of a core."""
_SHORTEST_PAUSE: Final = 1.0


class Taken(NamedTuple):
    """Bytes allocated and entries found below some folders."""

    disk: int
    files: int


def measure(folders: Iterable[Path]) -> Taken:
    """What lies below the folders; links are not followed. Cost: about 2 µs an entry.

    What vanishes, or cannot be read, while the walk passes is not counted.
    """
    disk = files = 0
    open_folders = [os.fspath(folder) for folder in folders]
    while open_folders:
        try:
            with os.scandir(open_folders.pop()) as entries:
                for entry in entries:
                    files += 1
                    disk += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        open_folders.append(entry.path)
        except OSError:
            continue
    return Taken(disk, files)


def exceeded(folders: Iterable[Path], limits: Limits) -> bool:
    """Whether the folders hold more than they may, or the disk below them has too little left.

    The free space is the backstop for what a walk cannot see (paths beyond PATH_MAX, deleted files
    that are still open).
    """
    folders = tuple(folders)
    if limits.free_disk and any(_free(folder) < limits.free_disk for folder in folders):
        return True
    if not limits.disk and not limits.files:
        return False
    taken = measure(folders)
    return bool((limits.disk and taken.disk > limits.disk) or (limits.files and taken.files > limits.files))


async def watch_disk(folders: Iterable[Path], limits: Limits) -> None:
    """Return when the limits are exceeded, seconds after it happened; else run for ever."""
    folders = tuple(folders)
    pause = _SHORTEST_PAUSE  # also before the first look: what ends sooner is not walked at all
    while True:
        await asyncio.sleep(pause)
        started = time.monotonic()
        if await asyncio.to_thread(exceeded, folders, limits):
            return
        pause = max(_SHORTEST_PAUSE, _SHARE * (time.monotonic() - started))


def _free(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
