"""Everything that can go wrong around a cluster: drawn from one generator, switched off at once, counted by kind."""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from universe import Universe
from wheelfleet_coordinator.adapters.package_index import FetchedPage
from wheelfleet_shared.adapters.memory_blobs import MemoryBlobs
from wheelfleet_shared.errors import InfrastructureError, RequestTimeout
from wheelfleet_shared.names import Actor
from wheelfleet_shared.ports import BlobInfo, Clock


class Trouble:
    """Decides what fails. ``on`` false: nothing does any more."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.on = True
        self.counts: Counter[str] = Counter()
        self.outages: dict[str, float] = {}

    def strikes(self, kind: str, probability: float) -> bool:
        struck = self.on and self.random.random() < probability
        self.counts[kind] += struck
        return struck

    def out(self, part: str) -> bool:
        struck = self.on and asyncio.get_running_loop().time() < self.outages.get(part, 0.0)
        self.counts[f"{part} was out"] += struck
        return struck

    async def late(self, kind: str, probability: float, longest: float) -> None:
        if self.strikes(kind, probability):
            await asyncio.sleep(self.random.uniform(0.001, longest))


class Process:
    """One operating system process: it may freeze, and it may die without a last word."""

    def __init__(self, actor: Actor, trouble: Trouble) -> None:
        self.actor = actor
        self.trouble = trouble
        self.dead = False
        self.frozen_until = 0.0

    async def alive(self) -> None:
        """Go on only if the process is there, and only when it is not frozen."""
        await self._thawed()
        if self.dead:
            raise asyncio.CancelledError

    async def _thawed(self) -> None:
        while self.trouble.on and (left := self.frozen_until - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(min(left, 5.0))

    # --- memory_log.Faults

    async def before_append(self, actor: Actor, batch: Sequence[object]) -> None:
        await self.alive()
        if self.trouble.out("log"):
            await asyncio.sleep(0.5)
            raise InfrastructureError("the log is out")
        await self.trouble.late("late appends", 0.1, 1.0)
        if self.trouble.strikes("lost appends", 0.05):
            raise RequestTimeout("lost")
        await self.alive()

    async def after_append(self, actor: Actor, batch: Sequence[object], outcomes: Sequence[object]) -> None:
        await self.trouble.late("late acknowledgements", 0.05, 1.0)
        if self.trouble.strikes("unknown outcomes of appends", 0.01):
            raise InfrastructureError("no acknowledgement ever came")
        if self.trouble.strikes("lost acknowledgements", 0.05):
            raise RequestTimeout("lost")
        await self.alive()

    async def deliver(self, actor: Actor, chunk: Sequence[object]) -> None:
        await self.trouble.late("late tails", 0.03, 8.0)
        await self.alive()

    # --- memory_bus.BusFaults

    async def carry(self, sender: Actor, subject: str, payload: bytes) -> int:
        await self.alive()
        if self.trouble.strikes("lost messages", 0.05):
            return 0
        await self.trouble.late("late messages", 0.1, 8.0)
        return 2 if self.trouble.strikes("doubled messages", 0.05) else 1


class FaultyBlobs(MemoryBlobs):
    """A store that is slow, fails, and fails after it did what was asked."""

    def __init__(self, clock: Clock, trouble: Trouble) -> None:
        super().__init__(clock)
        self._trouble = trouble

    def stored(self, key: str) -> bytes:
        return self._stored[key].data

    def wheels(self) -> list[str]:
        return sorted(key for key in self._stored if key.startswith("blobs/") and key.endswith(".whl"))

    def lose(self, key: str) -> None:
        """The blob is gone, as after a fault of the store that nobody saw."""
        del self._stored[key]

    async def put(self, key: str, data: bytes, content_type: str) -> None:
        await self._before()
        await super().put(key, data, content_type)
        if self._trouble.strikes("puts that succeeded and failed", 0.02):
            raise InfrastructureError("the store did not answer")

    async def put_file(self, key: str, path: Path, content_type: str) -> None:
        await self.put(key, path.read_bytes(), content_type)

    async def get(self, key: str) -> bytes:
        await self._before()
        return await super().get(key)

    async def get_range(self, key: str, start: int, length: int) -> bytes:
        await self._before()
        return await super().get_range(key, start, length)

    async def head(self, key: str) -> BlobInfo | None:
        await self._before()
        return await super().head(key)

    def put_signed(self, url: str, headers: Mapping[str, str], data: bytes) -> int:
        if self._trouble.out("store") or self._trouble.strikes("failed uploads", 0.02):
            return 503
        status = super().put_signed(url, headers, data)
        return 503 if self._trouble.strikes("uploads that succeeded and failed", 0.02) else status

    def get_signed(self, url: str) -> tuple[int, bytes]:
        if self._trouble.out("store") or self._trouble.strikes("failed downloads", 0.01):
            return 503, b""
        return super().get_signed(url)

    async def _before(self) -> None:
        await self._trouble.late("slow blobs", 0.1, 3.0)
        if self._trouble.out("store") or self._trouble.strikes("failed blobs", 0.03):
            raise InfrastructureError("the store answered 503")


class FaultyIndex:
    """A package index that is out now and then."""

    def __init__(self, universe: Universe, trouble: Trouble) -> None:
        self._universe = universe
        self._trouble = trouble

    async def fetch_page(self, index_url: str, project: str) -> FetchedPage | None:
        await self._fail()
        return await self._universe.fetch_page(index_url, project)

    async def download(self, url: str, to: Path) -> tuple[str, int]:
        await self._fail()
        return await self._universe.download(url, to)

    async def _fail(self) -> None:
        await self._trouble.late("slow index", 0.2, 3.0)
        if self._trouble.out("index") or self._trouble.strikes("failed reads of the index", 0.03):
            raise InfrastructureError("the index answered 502")
