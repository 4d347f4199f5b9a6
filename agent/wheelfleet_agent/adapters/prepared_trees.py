"""Trees of sources that were just prepared, kept for the build that comes next on the same host.

To unpack a source costs more than to prepare it; a tree that waits is given away once, since builds write in it.
"""

import contextlib
import os
import secrets
import shutil
import time
from pathlib import Path
from typing import Final

from wheelfleet_shared.names import Sha256

MOST_TREES: Final = 64
"""Trees that wait at a time; what comes beyond is unpacked again."""
LARGEST_TREE: Final = 64 * 1024**2
"""Bytes of the patched sdist, which is not compressed, so about those of its tree."""
_LONGEST_WAIT: Final = 3600.0
"""Seconds after which nobody is expected to come for a tree."""


def keep_tree(folder: Path, sdist: Sha256, tree: Path, top: str, epoch: int) -> None:
    """The tree waits in ``folder`` as unpacking this sdist would leave it; or it stays where it is.

    tree: prepared here, touched by no hook, every time in the sdist being the epoch. top: the sdist's own
    top folder. Both folders must lie on one file system. Cost: one system call a member.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if _waiting(folder) >= MOST_TREES:
        return
    _stamp(tree, epoch)
    place = folder / f"new-{secrets.token_hex(8)}"
    place.mkdir()
    with contextlib.suppress(OSError):
        tree.rename(place / top)
        place.rename(folder / sdist)
    shutil.rmtree(place, ignore_errors=True)  # only where the same sdist waits already


def take_tree(folder: Path, sdist: Sha256, destination: Path) -> Path | None:
    """The source's top folder, now in ``destination``, which must not exist; None where no tree waits."""
    try:
        (folder / sdist).rename(destination)
    except OSError:
        return None
    return next(destination.iterdir())


def _waiting(folder: Path) -> int:
    """How many trees wait, once those that wait in vain are gone."""
    waiting = 0
    for place in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if time.time() - place.stat().st_mtime > _LONGEST_WAIT:
                shutil.rmtree(place, ignore_errors=True)
            else:
                waiting += 1
    return waiting


def _stamp(tree: Path, epoch: int) -> None:
    """The times are those of the sdist's members; the modes are so since the tree was unpacked."""
    for folder, folders, files in os.walk(tree, topdown=False):
        for name in (*files, *folders):
            path = os.path.join(folder, name)  # noqa: PTH118 - a Path for each costs more than the calls
            os.utime(path, (epoch, epoch), follow_symlinks=False)
    os.utime(tree, (epoch, epoch))
