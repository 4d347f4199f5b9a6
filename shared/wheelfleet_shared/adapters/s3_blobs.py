"""Blobs on an S3 endpoint, in threads of its own.

Threads move more small blobs a second than the asyncio clients do, and the event loop never waits
for a byte. What every wheel needs goes by ``s3_requests``; buckets, listings, and large files in
parts by boto3. A store's "no" (404) and its "unknown" (everything else) stay apart.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar
from urllib.parse import urlsplit

import msgspec

from ..core.presign import Credentials, object_url, presign, upload_headers
from ..errors import BlobMissing, InfrastructureError
from ..names import Sha256
from ..ports import BlobInfo, Clock, SignedUpload
from .s3_requests import ATTEMPTS, NoAnswer, Refused, S3Requests

if TYPE_CHECKING:
    from .s3_boto3 import Boto3Store

_T = TypeVar("_T")

THREADS = 16
MULTIPART_FROM = 64 * 1024 * 1024


class S3Settings(msgspec.Struct, frozen=True):
    """Where the store is and how to get in; its repr hides the secret.

    bucket: all of wheelfleet's keys lie in this one. region: part of every signature; some
    stores want a name of their own here.
    """

    endpoint_url: str
    bucket: str
    access_key: str
    secret_key: str
    region: str = "us-east-1"

    def __repr__(self) -> str:
        return f"S3Settings({self.place!r}, access_key={self.access_key!r}, ...)"

    @property
    def place(self) -> str:
        """Host, port and bucket; fit for messages."""
        return f"{urlsplit(self.endpoint_url).netloc.rpartition('@')[2]}/{self.bucket}"

    @property
    def credentials(self) -> Credentials:
        """The key pair."""
        return Credentials(self.access_key, self.secret_key)


class S3Blobs:
    """The object store of ``ports.Blobs``; safe for any number of tasks at once.

    page_size: keys a request when listing. Making one costs some 0.2 s: make it once a process,
    before the event loop has to answer. Close it when done.
    """

    def __init__(self, settings: S3Settings, clock: Clock, *, page_size: int = 1000) -> None:
        self._settings = settings
        self._clock = clock
        self._page_size = page_size
        self._bucket = settings.bucket
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="s3")
        self._opened = False
        self._requests = S3Requests(
            settings.endpoint_url, settings.bucket, settings.region, settings.credentials, THREADS, ATTEMPTS
        )

    async def close(self) -> None:
        """Wait for the requests under way and let threads and connections go."""
        await asyncio.to_thread(self._pool.shutdown)
        if self._opened:
            self._boto3.close()
        self._requests.close()

    async def ensure_bucket(self) -> None:
        """The bucket exists afterwards; it is made where it did not."""
        await self._run("create bucket", "", self._ensure_bucket)

    async def put(self, key: str, data: bytes, content_type: str) -> None:
        """Store the bytes under the key, durable on return."""
        await self._run("put", key, lambda: self._requests.put(key, data, content_type))

    async def put_file(self, key: str, path: Path, content_type: str) -> None:
        """Store the file under the key, in parts of 16 MiB where it is larger than 64 MiB."""

        def put() -> None:
            if path.stat().st_size < MULTIPART_FROM:
                self._requests.put_file(key, path, content_type)
            else:
                self._boto3.put_large(key, path, content_type)

        await self._run("put", key, put)

    async def get(self, key: str) -> bytes:
        """The bytes; raises BlobMissing."""
        return await self._run("get", key, lambda: self._requests.get(key))

    async def get_range(self, key: str, start: int, length: int) -> bytes:
        """At most ``length`` bytes from ``start`` (negative: from the end); raises BlobMissing.

        A negative start transfers all bytes up to the end, whatever the length.
        """
        return await self._run("get range", key, lambda: self._requests.get_range(key, start, length))

    async def head(self, key: str) -> BlobInfo | None:
        """The blob's facts, or None where it is not there; the latter costs a second request."""
        return await self._run("head", key, lambda: self._requests.head(key))

    async def delete(self, key: str) -> None:
        """Remove the blob; no error where it is not there."""
        with suppress(BlobMissing):  # some stores answer 404 here
            await self._run("delete", key, lambda: self._boto3.delete(key))

    async def list(self, prefix: str) -> AsyncIterator[BlobInfo]:
        """Every blob whose key starts with the prefix, in key order; 1000 a request."""
        pages = await self._run("list", prefix, lambda: self._boto3.pages(prefix, self._page_size))
        while (page := await self._run("list", prefix, lambda: next(pages, None))) is not None:
            for found in page:
                yield found

    def sign_get(self, key: str, *, expires: int) -> str:
        """A URL that reads the blob for ``expires`` seconds, without credentials."""
        return self._sign("GET", key, expires, {})

    def sign_put(self, key: str, *, sha256: Sha256, size: int, expires: int) -> SignedUpload:
        """A URL that stores exactly the named content under the key for ``expires`` seconds."""
        headers = upload_headers(key, sha256, size)
        return SignedUpload(self._sign("PUT", key, expires, headers), headers)

    def _sign(self, method: Literal["GET", "PUT"], key: str, expires: int, headers: dict[str, str]) -> str:
        return presign(
            method,
            object_url(self._settings.endpoint_url, self._bucket, key),
            region=self._settings.region,
            credentials=self._settings.credentials,
            at=self._clock.now(),
            expires=expires,
            headers=headers,
        )

    @cached_property
    def _boto3(self) -> "Boto3Store":
        from .s3_boto3 import Boto3Store  # noqa: PLC0415 - 0.4 s that most runs never need

        settings = self._settings
        self._opened = True
        return Boto3Store(
            settings.endpoint_url, settings.bucket, settings.region, settings.credentials, 2 * THREADS, ATTEMPTS
        )

    def _ensure_bucket(self) -> None:
        if not self._requests.has_bucket():
            self._boto3.create_bucket()

    async def _run(self, operation: str, key: str, call: Callable[[], _T]) -> _T:
        """What the call returns, made in a thread; the library's errors become ours."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, call)
        except (Refused, NoAnswer) as error:
            raise _translated(error, operation, f"{self._settings.place}/{key}") from error


def _translated(error: Refused | NoAnswer, operation: str, place: str) -> BlobMissing | InfrastructureError:
    """BlobMissing for a plain 404 alone; a 403 may hide anything, so it is unknown too."""
    refusal = error if isinstance(error, Refused) else None
    if refusal is not None and refusal.code == "NoSuchKey":
        return BlobMissing(f"there is no blob {place}", "if an index or an event names it, ask for it to be rebuilt")
    what = f"the object store failed to {operation} {place}: {error}"
    return InfrastructureError(what, _next_step(refusal))


def _next_step(refusal: Refused | None) -> str:
    if refusal is None:
        return "check that the endpoint is right and that the store runs and can be reached from here"
    if refusal.status == 403:
        return "check the access key, its rights on the bucket, and the clocks of both machines"
    if refusal.status == 404:
        return "check the name of the bucket; `wheelfleet doctor` tells what the store can do"
    return "try again; look into the store's own log if it lasts"
