"""Wheels taken over from cache servers, checked and published as our own are."""

import asyncio
import hashlib
import logging
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.envelope import Aggregate
from wheelfleet_shared.core.keys import blob_key, metadata_key
from wheelfleet_shared.core.wheel_check import WheelFacts
from wheelfleet_shared.errors import PolicyError, SourceError, WheelfleetError
from wheelfleet_shared.names import Sha256
from wheelfleet_shared.ports import Blobs

from ..core import decisions, ending_decisions
from ..core.cached_wheel import build_lists, serving_wheel
from ..core.candidates import Candidate, read_page
from ..core.instructions import TakeOver
from ..core.world import World
from .accepting import accept
from .committer import Committer
from .fetching import Download
from .listings import FetchPage
from .wheel_files import read_wheel

logger = logging.getLogger(__name__)

_WHEEL_TYPE: Final = "application/octet-stream"
_METADATA_TYPE: Final = "text/plain; charset=utf-8"


class _Found(NamedTuple):
    file: e.FileRef
    facts: WheelFacts
    metadata: bytes
    lists: dict[str, tuple[str, ...]]


class TakerOver:
    """Carries out ``TakeOver``: the first cache server that has a fitting wheel wins."""

    def __init__(
        self, world: World, committer: Committer, blobs: Blobs, fetch_page: FetchPage, download: Download
    ) -> None:
        self._world = world
        self._committer = committer
        self._blobs = blobs
        self._fetch_page = fetch_page
        self._download = download

    async def take_over(self, instruction: TakeOver) -> tuple[e.Event, ...]:
        """Publish a cache server's wheel for the build and end it; () where none has one that serves."""
        submitted = self._world.runs[instruction.run].submitted
        for server in submitted.options.cache_servers if submitted is not None else ():
            try:
                candidate = await self._candidate(server, instruction.plan)
                if candidate is not None:
                    return await self._take(candidate, instruction)
            except WheelfleetError as error:
                # A cache only spares work: whatever is wrong with it, the wheel can still be built.
                logger.warning("%s is not taken over from %s: %s", instruction.plan.node, server, error.what)
        return ()

    async def _candidate(self, server: str, plan: e.BuildPlanned) -> Candidate | None:
        page = await self._fetch_page(server, plan.node.name)
        target = self._world.targets.get(plan.host)
        if page is None or target is None or target.definition is None:
            return None
        listing = await asyncio.to_thread(read_page, page.content, page.content_type, page.url, plan.node.name)
        return serving_wheel(listing, plan, target.definition)

    async def _take(self, candidate: Candidate, instruction: TakeOver) -> tuple[e.Event, ...]:
        with tempfile.TemporaryDirectory(prefix="wheelfleet-cache-") as folder:
            path = Path(folder) / candidate.file_name
            sha256, size = await self._download(candidate.url, path)
            if candidate.sha256 and sha256 != candidate.sha256:
                raise SourceError(f"{candidate.file_name} has sha256 {sha256}, promised was {candidate.sha256}")
            found = await asyncio.to_thread(_read, path, instruction.plan, Sha256(sha256), size)
            key = blob_key(found.file.sha256, found.file.file_name)
            if await self._blobs.head(key) is None:
                await self._blobs.put_file(key, path, _WHEEL_TYPE)
            await self._blobs.put(metadata_key(key), found.metadata, _METADATA_TYPE)
        return await self._record(candidate, instruction, found)

    async def _record(self, candidate: Candidate, instruction: TakeOver, found: _Found) -> tuple[e.Event, ...]:
        event = _taken_over(candidate, instruction, found)
        name = await accept(self._world, self._committer, event)
        held = name.accepted
        if held is None or held.file.sha256 != found.file.sha256:
            raise PolicyError(f"{found.file.file_name} is already published with other bytes")
        await self._committer.commit(Aggregate("file", name.id), lambda world: decisions.publish(world, name.id))
        return await self._committer.commit(
            decisions.build_aggregate(instruction.build),
            lambda world: ending_decisions.take_over(world, instruction, found.file),
        )


def _read(path: Path, plan: e.BuildPlanned, sha256: Sha256, size: int) -> _Found:
    """What the wheel says of itself, its build requirements with it. Raises PolicyError with every fault."""
    found = read_wheel(path, plan.node)
    lists = build_lists(path, found.folder)
    return _Found(e.FileRef(path.name, sha256, size), found.facts, found.metadata, lists)


def _taken_over(candidate: Candidate, instruction: TakeOver, found: _Found) -> e.WheelTakenOver:
    plan = instruction.plan
    return e.WheelTakenOver(
        index=plan.index,
        build=instruction.build,
        key=plan.key,
        node=plan.node,
        file=found.file,
        metadata_sha256=Sha256(hashlib.sha256(found.metadata).hexdigest()),
        origin=candidate.url,
        requires_dist=found.facts.requires_dist,
        requires_python=found.facts.requires_python,
        provides_extra=found.facts.provides_extra,
        build_system=found.lists["system"],
        build_backend=found.lists["backend"],
    )
