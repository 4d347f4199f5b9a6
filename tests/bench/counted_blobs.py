"""An object store that counts what is asked of it, and how long that takes."""

import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from wheelfleet_shared.names import Sha256
from wheelfleet_shared.ports import BlobInfo, Blobs, SignedUpload

T = TypeVar("T")
Upload = Callable[[str, dict[str, str], bytes], Awaitable[int]]


class CountedBlobs:
    """ports.Blobs over another one. ``puts``: the keys that were put, in order; "uploads/…" what agents put by URL."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self.puts: list[str] = []
        self._seconds: dict[str, list[float]] = defaultdict(list)

    def summary(self) -> str:
        """Calls of each kind, and their mean wall time."""
        return ", ".join(
            f"{kind} {len(taken)} ({sum(taken) / len(taken) * 1e3:.1f} ms)" for kind, taken in self._seconds.items()
        )

    def counted_upload(self, upload: Upload) -> Upload:
        """The same upload by URL, counted."""

        async def counting(url: str, headers: dict[str, str], content: bytes) -> int:
            self.puts.append("uploads/by URL")
            return await upload(url, headers, content)

        return counting

    async def _timed(self, kind: str, call: Awaitable[T]) -> T:
        start = time.perf_counter()
        try:
            return await call
        finally:
            self._seconds[kind].append(time.perf_counter() - start)

    async def put(self, key: str, data: bytes, content_type: str) -> None:
        self.puts.append(key)
        await self._timed("put", self._blobs.put(key, data, content_type))

    async def put_file(self, key: str, path: Path, content_type: str) -> None:
        self.puts.append(key)
        await self._timed("put_file", self._blobs.put_file(key, path, content_type))

    async def get(self, key: str) -> bytes:
        return await self._timed("get", self._blobs.get(key))

    async def get_range(self, key: str, start: int, length: int) -> bytes:
        return await self._timed("get_range", self._blobs.get_range(key, start, length))

    async def head(self, key: str) -> BlobInfo | None:
        return await self._timed("head", self._blobs.head(key))

    async def delete(self, key: str) -> None:
        await self._timed("delete", self._blobs.delete(key))

    def list(self, prefix: str) -> AsyncIterator[BlobInfo]:
        return self._blobs.list(prefix)

    def sign_get(self, key: str, *, expires: int) -> str:
        return self._blobs.sign_get(key, expires=expires)

    def sign_put(self, key: str, *, sha256: Sha256, size: int, expires: int) -> SignedUpload:
        return self._blobs.sign_put(key, sha256=sha256, size=size, expires=expires)
