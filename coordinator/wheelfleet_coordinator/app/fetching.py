"""Sources fetched: from the package index into our store, by their sha256."""

import asyncio
import logging
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final
from urllib.parse import quote

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.envelope import Aggregate
from wheelfleet_shared.core.keys import source_key
from wheelfleet_shared.errors import IndexUnusable, SourceError, WheelfleetError
from wheelfleet_shared.names import Sha256, SourceId
from wheelfleet_shared.ports import Blobs

from ..adapters.source_trees import Packed
from ..core import decisions
from ..core.instructions import Fetch
from ..core.world import World
from .committer import Committer
from .pinning import Trees

logger = logging.getLogger(__name__)

Download = Callable[[str, Path], Awaitable[tuple[str, int]]]
"""(URL, where to) → sha256 and size of what came; raises SourceError where it is gone."""

_ARCHIVE: Final = "application/octet-stream"
_AT_ONCE: Final = 8
"""Downloads at the same time."""


class Fetcher:
    """Carries out ``Fetch``. Large bytes go through a file, never through memory or the event loop."""

    def __init__(self, world: World, committer: Committer, blobs: Blobs, download: Download, trees: Trees) -> None:
        self._world = world
        self._committer = committer
        self._blobs = blobs
        self._download = download
        self._trees = trees
        self._free = asyncio.Semaphore(_AT_ONCE)

    async def fetch(self, instruction: Fetch) -> tuple[e.Event, ...]:
        """Bring the file, or record why it cannot be had; what was appended."""
        event = self._known(instruction) or await self._in_turn(instruction)
        return await self._committer.commit(
            Aggregate("source", instruction.source),
            lambda world: decisions.fetched(world, SourceId(instruction.source), event),
        )

    async def _in_turn(self, instruction: Fetch) -> e.SourceFetched | e.FetchFailed:
        """Not held over the append: the next download need not wait for the log's disk."""
        async with self._free:
            return await self._brought(instruction)

    def _known(self, instruction: Fetch) -> e.SourceFetched | None:
        """The same bytes may have come under another URL before."""
        stored = self._world.stored.get(Sha256(instruction.promised))
        same = stored is not None and stored.file_name == instruction.file_name
        return e.SourceFetched(instruction.url, stored, instruction.promised) if stored and same else None

    async def _brought(self, instruction: Fetch) -> e.SourceFetched | e.FetchFailed:
        with tempfile.NamedTemporaryFile(prefix="wheelfleet-fetch-") as place:
            path = Path(place.name)
            try:
                sha256, size, commit = await self._packed_or_file(instruction, path)
            except (SourceError, IndexUnusable) as error:
                return e.FetchFailed(instruction.url, error.what, error.next_step)
            if instruction.promised and sha256 != instruction.promised:
                return _differs(instruction, sha256)
            file = e.FileRef(instruction.file_name, Sha256(sha256), size)
            # Put even where it lies there: the log does not know of it, so it may be collected at any moment.
            await self._blobs.put_file(source_key(file.sha256, file.file_name), path, _ARCHIVE)
        return e.SourceFetched(instruction.url, file, instruction.promised, commit)

    async def _packed_or_file(self, instruction: Fetch, path: Path) -> Packed:
        at_hand = await self._at_hand(instruction, path)
        packed = None if at_hand else await self._trees.pack(instruction.url, instruction.file_name, path)
        return packed or Packed(*(at_hand or await self._download(instruction.url, path)))

    async def _at_hand(self, instruction: Fetch, path: Path) -> tuple[str, int] | None:
        """The file from a folder that an active run names; only bytes that the index promises are taken from there."""
        name = quote(instruction.file_name)
        for folder in self._folders() if instruction.promised else ():
            try:
                sha256, size = await self._download(f"{folder}/{name}", path)
            except WheelfleetError as error:
                # Such a folder only spares a download: whatever is wrong with it, upstream has the file.
                logger.debug("%s is not at hand in %s: %s", name, folder, error.what)
                continue
            if sha256 == instruction.promised:
                return sha256, size
            logger.warning("%s in %s is not what the index lists; it is fetched from there", name, folder)
        return None

    def _folders(self) -> tuple[str, ...]:
        submitted = (self._world.runs[run].submitted for run in self._world.active_runs())
        return tuple(dict.fromkeys(folder for found in submitted if found for folder in found.options.source_folders))


def _differs(instruction: Fetch, found: str) -> e.FetchFailed:
    return e.FetchFailed(
        instruction.url,
        f"{instruction.file_name} has sha256 {found}, but {instruction.promised} was promised",
        "the index or a proxy serves other bytes than it lists: do not build from it",
    )
