"""Blobs in a dictionary: for the simulator and for tests; keeps the contract of the real store."""

import hashlib
import hmac
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Final, Literal, NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlencode

from ..core.presign import upload_headers
from ..errors import BlobMissing
from ..names import Sha256
from ..ports import BlobInfo, Clock, SignedUpload

_SCHEME: Final = "memory:"
_SECRET: Final = b"signs the URLs of stores that live in one process alone"


class _Stored(NamedTuple):
    data: bytes
    content_type: str
    modified: float


class MemoryBlobs:
    """An object store that lasts as long as this value; deterministic, without threads.

    Its signed URLs start with ``memory:`` and are honoured by ``put_signed`` and ``get_signed``,
    which answer with the HTTP status that a store would give.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._stored: dict[str, _Stored] = {}

    async def put(self, key: str, data: bytes, content_type: str) -> None:
        """Store the bytes under the key."""
        self._stored[key] = _Stored(bytes(data), content_type, self._clock.now())

    async def put_file(self, key: str, path: Path, content_type: str) -> None:
        """Store the file's bytes under the key."""
        await self.put(key, path.read_bytes(), content_type)  # noqa: ASYNC240 - nothing else waits in tests

    async def get(self, key: str) -> bytes:
        """The bytes; raises BlobMissing."""
        return self._found(key).data

    async def get_range(self, key: str, start: int, length: int) -> bytes:
        """At most ``length`` bytes from ``start`` (negative: from the end); raises BlobMissing."""
        return self._found(key).data[start:][:length]

    async def head(self, key: str) -> BlobInfo | None:
        """The blob's facts, or None where it is not there."""
        stored = self._stored.get(key)
        return None if stored is None else BlobInfo(key, len(stored.data), stored.modified)

    async def delete(self, key: str) -> None:
        """Remove the blob; no error where it is not there."""
        self._stored.pop(key, None)

    async def list(self, prefix: str) -> AsyncIterator[BlobInfo]:
        """Every blob whose key starts with the prefix, in the order of the keys' UTF-8 bytes."""
        for key in sorted((key for key in self._stored if key.startswith(prefix)), key=str.encode):
            if (info := await self.head(key)) is not None:
                yield info

    def sign_get(self, key: str, *, expires: int) -> str:
        """A URL that ``get_signed`` reads for ``expires`` seconds."""
        return self._sign("GET", key, expires, "")

    def sign_put(self, key: str, *, sha256: Sha256, size: int, expires: int) -> SignedUpload:
        """A URL by which ``put_signed`` takes exactly the named content for ``expires`` seconds."""
        headers = upload_headers(key, sha256, size)
        return SignedUpload(self._sign("PUT", key, expires, _flat(headers)), headers)

    def put_signed(self, url: str, headers: Mapping[str, str], data: bytes) -> int:
        """200 where the content is stored; 403 for a wrong, changed or expired URL, 400 for wrong content."""
        key = self._permitted("PUT", url, _flat(headers))
        if key is None:
            return 403
        promised = (headers["x-amz-content-sha256"], headers["content-length"])
        if (hashlib.sha256(data).hexdigest(), str(len(data))) != promised:
            return 400
        self._stored[key] = _Stored(data, "application/octet-stream", self._clock.now())
        return 200

    def get_signed(self, url: str) -> tuple[int, bytes]:
        """200 and the bytes; 403 for a wrong, changed or expired URL, 404 where there is no blob."""
        key = self._permitted("GET", url, "")
        if key is None:
            return 403, b""
        stored = self._stored.get(key)
        return (404, b"") if stored is None else (200, stored.data)

    def _found(self, key: str) -> _Stored:
        try:
            return self._stored[key]
        except KeyError:
            raise BlobMissing(f"there is no blob {key}") from None

    def _sign(self, method: Literal["GET", "PUT"], key: str, expires: int, headers: str) -> str:
        until = repr(self._clock.now() + expires)
        query = urlencode({"until": until, "signature": _signature(method, key, until, headers)})
        return f"{_SCHEME}{quote(key)}?{query}"

    def _permitted(self, method: Literal["GET", "PUT"], url: str, headers: str) -> str | None:
        """The key that the URL stands for, or None where it gives no right to it now."""
        path, _, query = url.removeprefix(_SCHEME).partition("?")
        given = dict(parse_qsl(query))
        key, until = unquote(path), given.get("until", "")
        expected = _signature(method, key, until, headers)
        if not hmac.compare_digest(expected, given.get("signature", "")):
            return None
        return key if self._clock.now() < float(until) else None


def _flat(headers: Mapping[str, str]) -> str:
    return "\n".join(f"{name}:{headers[name]}" for name in sorted(headers))


def _signature(method: str, key: str, until: str, headers: str) -> str:
    return hmac.new(_SECRET, f"{method}\0{key}\0{until}\0{headers}".encode(), hashlib.sha256).hexdigest()
