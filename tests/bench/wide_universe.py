"""A package index of as many distributions as wanted, all needed by one, and a builder that answers at once."""

import random
from collections.abc import Awaitable, Callable
from pathlib import Path

from sim_builder import wheel_bytes
from universe import Release, Universe, read_release
from wheelfleet_agent.app.attempt import file_ref
from wheelfleet_agent.app.ports import AttemptEnded, LogSink, Result, Upload
from wheelfleet_shared.adapters.memory_blobs import MemoryBlobs
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.messages import Work

_CHILDREN = 4
_TOOLS = ("tool-0", "tool-1", "tool-2")


def wide_universe(count: int, seed: int = 1) -> Universe:
    """``dist-0`` requires four, each of which requires four…, and some of those below besides.

    Three build tools are among the ``count``; every other distribution needs one to be built.
    """
    source = random.Random(seed)
    distributions = count - len(_TOOLS)
    releases = [Release(name, "1.0") for name in _TOOLS]
    for number in range(distributions):
        below = [
            child for child in range(number * _CHILDREN + 1, (number + 1) * _CHILDREN + 1) if child < distributions
        ]
        if number + 1 < distributions:
            below += [source.randrange(number + 1, distributions) for _ in range(2)]
        install = tuple(f"dist-{child}>=0.1" for child in dict.fromkeys(below))
        releases.append(Release(f"dist-{number}", "1.0", static=(source.choice(_TOOLS),), install=install, seconds=0.0))
    return Universe(releases)


class AtOnce:
    """Answers every attempt with a tiny real wheel; builds nothing. ``folder``: for the files on their way."""

    def __init__(self, download: Callable[[str], Awaitable[bytes]], folder: Path) -> None:
        self._download = download
        self._folder = folder

    async def carry_out(self, work: Work, phase: Callable[[str], None], log: LogSink, upload: Upload) -> Result:
        """What the release says of itself, uploaded."""
        content = await self._download(work.sdist.url)
        release = read_release(content)
        stem = f"{release.name.replace('-', '_')}-{release.version}"
        if work.plan.goal == "source":
            sdist = await self._stored(f"{stem}.tar.gz", content, work, upload, "sdist")
            return e.SourcePrepared(work.fence, sdist, 1_600_000_000, release.static, "backend")
        wheel = await self._stored(f"{stem}-0-py3-none-any.whl", wheel_bytes(release), work, upload, "wheel")
        return e.WheelBuilt(work.fence, wheel, wheel.sha256, release.hook)

    async def _stored(self, name: str, content: bytes, work: Work, upload: Upload, kind: str) -> e.FileRef:
        path = self._folder / name
        path.write_bytes(content)
        file = file_ref(path)
        await upload(path, file, "sdist" if kind == "sdist" else "wheel")
        path.unlink()
        return file


def from_memory(blobs: MemoryBlobs) -> Callable[[str], Awaitable[bytes]]:
    """Downloads by the signed URLs of a store in memory."""

    async def download(url: str) -> bytes:
        status, content = blobs.get_signed(url)
        if status != 200:
            raise AttemptEnded("download", f"{status} for {url}")
        return content

    return download
