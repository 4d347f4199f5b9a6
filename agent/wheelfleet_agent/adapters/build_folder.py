"""The folders of one attempt on the host's disk."""

import asyncio
import os
from pathlib import Path
from typing import NamedTuple

from ..core.sandbox_plan import Mount


class BuildFolder(NamedTuple):
    """The writable folders of one attempt, side by side, so that one cannot be replaced from another.

    Once a hook has run, their contents are hostile: read them without following links.
    """

    root: Path

    @property
    def build(self) -> Path:
        """The unpacked source (``<name>-<version>`` in it), and the home folder of hooks."""
        return self.root / "build"

    @property
    def home(self) -> Path:
        """HOME of hooks, empty at first."""
        return self.build / "home"

    @property
    def results(self) -> Path:
        """What hooks are asked to make."""
        return self.root / "results"

    @property
    def temporary(self) -> Path:
        """TMPDIR of hooks."""
        return self.root / "tmp"

    @property
    def shared_memory(self) -> Path:
        """What POSIX shared memory of hooks lives in: on the disk, so that it counts there and not as memory."""
        return self.root / "shm"

    @property
    def finished(self) -> Path:
        """The wheel that will be published; no sandbox shows it."""
        return self.root / "finished"

    def mounts(self) -> tuple[Mount, ...]:
        """Where these folders appear inside a sandbox."""
        return (
            Mount(self.build, Path("/build"), writable=True),
            Mount(self.results, Path("/results"), writable=True),
            Mount(self.temporary, Path("/tmp"), writable=True),  # noqa: S108 - a private one
            Mount(self.shared_memory, Path("/dev/shm"), writable=True),  # noqa: S108 - the same
        )


def make_build_folder(root: Path) -> BuildFolder:
    """All folders exist and are empty; ``root`` must not exist, and is readable by nobody else.

    Raises FileExistsError.
    """
    root.mkdir(mode=0o700, parents=True)
    folder = BuildFolder(root)
    for part in (folder.build, folder.home, folder.results, folder.temporary, folder.shared_memory, folder.finished):
        part.mkdir(mode=0o755)
    return folder


async def remove_build_folder(folder: BuildFolder) -> None:
    """The folder is gone, or what could not be removed stays.

    By ``rm``, which copes with paths of any depth; where it fails, folders without permissions are opened first.
    """
    root = os.fspath(folder.root)
    remove = ("rm", "-rf", "--one-file-system", "--", root)
    if await _run(*remove) != 0:
        await _run("chmod", "-R", "u+rwX", "--", root)
        await _run(*remove)


async def _run(*argv: str) -> int:
    """The exit status."""
    nowhere = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*argv, stdin=nowhere, stderr=nowhere)
    return await process.wait()
