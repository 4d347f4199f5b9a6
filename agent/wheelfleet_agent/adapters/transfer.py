"""Files between the agent and the store, by signed URLs; what was fetched once stays in the cache."""

import asyncio
import hashlib
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Final, Literal

import httpx

from wheelfleet_shared.core.events import FileRef
from wheelfleet_shared.core.messages import Download, UploadGrant
from wheelfleet_shared.errors import InfrastructureError

_CHUNK: Final = 1 << 20
_TRIES: Final = 4
_FIRST_PAUSE: Final = 0.5
Direction = Literal["upload", "download"]


class TransferFault(InfrastructureError):
    """A file could not be moved; the same transfer may succeed later, or elsewhere."""

    def __init__(self, direction: Direction, what: str) -> None:
        super().__init__(what, "check that this host reaches the object store")
        self.direction = direction


class Transfer:
    """Downloads into a cache named by content, and uploads. The URLs carry all the rights there are."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        limits = httpx.Limits(max_connections=16)
        self._client = httpx.AsyncClient(timeout=httpx.Timeout(60.0, connect=10.0), limits=limits, trust_env=True)
        self._fetching: dict[str, asyncio.Lock] = {}

    async def close(self) -> None:
        """End all connections."""
        await self._client.aclose()

    async def fetch(self, download: Download) -> Path:
        """The file, its sha256 checked when it came; raises TransferFault.

        Two who want the same file at once fetch it once.
        """
        file = download.file
        path = self._cache / file.sha256[:2] / file.sha256 / file.file_name
        lock = self._fetching.setdefault(file.sha256, asyncio.Lock())
        async with lock:
            if not _is_there(path, file.size):
                path.parent.mkdir(parents=True, exist_ok=True)
                await self._retried("download", lambda: self._fetch(download, path))
        self._fetching.pop(file.sha256, None)
        return path

    async def send(self, path: Path, grant: UploadGrant) -> None:
        """The file lies where the grant allows, and is what the grant allows; raises TransferFault."""
        if not grant.stored:
            await self._retried("upload", lambda: self._send(path, grant))

    @staticmethod
    async def _retried(direction: Direction, move: Callable[[], Awaitable[None]]) -> None:
        pause = _FIRST_PAUSE
        for attempt in range(1, _TRIES + 1):
            try:
                await move()
            except (httpx.HTTPError, OSError) as error:
                if attempt == _TRIES:
                    raise TransferFault(direction, f"{direction} failed: {type(error).__name__}: {error}") from None
            else:
                return
            await asyncio.sleep(pause)
            pause *= 2

    async def _fetch(self, download: Download, path: Path) -> None:
        part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
        digest = hashlib.sha256()
        try:
            async with self._client.stream("GET", download.url) as response:
                _check("download", download.file, response)
                with part.open("wb") as stream:
                    async for chunk in response.aiter_raw(_CHUNK):
                        digest.update(chunk)
                        stream.write(chunk)
            if digest.hexdigest() != download.file.sha256:
                raise TransferFault("download", f"{download.file.file_name} came with other bytes than locked")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    async def _send(self, path: Path, grant: UploadGrant) -> None:
        response = await self._client.put(grant.url, headers=grant.headers, content=_chunks(path))
        if response.is_server_error:
            raise httpx.HTTPError(f"the store answered {response.status_code}")
        if not response.is_success:
            raise TransferFault("upload", f"the store refused {path.name} with {response.status_code}")


def _is_there(path: Path, size: int) -> bool:
    try:
        found = path.stat().st_size
    except OSError:
        return False
    os.utime(path)
    return size in {0, found}


def _check(direction: Direction, file: FileRef, response: httpx.Response) -> None:
    if response.is_server_error:
        raise httpx.HTTPError(f"the store answered {response.status_code}")
    if not response.is_success:
        raise TransferFault(direction, f"the store answered {response.status_code} for {file.file_name}")


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as stream:
        while chunk := await asyncio.to_thread(stream.read, _CHUNK):
            yield chunk
