"""The few S3 requests that are made for every wheel, by urllib3: boto3 costs some ten times the processor time.

Signatures go in headers, so the URLs that libraries log hold nothing but keys of blobs.
"""

import hashlib
import os
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import IO, Final
from urllib.parse import urlsplit

import urllib3

from ..core.keys import cache_control
from ..core.presign import Credentials, authorized, object_url
from ..ports import BlobInfo

CONNECT_TIMEOUT: Final = 5.0
READ_TIMEOUT: Final = 60.0
ATTEMPTS: Final = 5
_TRY_AGAIN: Final = (429, 500, 502, 503, 504)
_PAUSE: Final = 0.1
_NOTHING: Final = hashlib.sha256(b"").hexdigest()
_CODE: Final = re.compile(rb"<Code>([A-Za-z0-9.]{1,80})</Code>")


class Refused(Exception):
    """The store's answer was no success. code: S3's own word for the reason, empty where none came."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code


class NoAnswer(Exception):
    """The store did not answer, or not in words of HTTP."""


class S3Requests:
    """Blocking requests over pooled connections; safe for as many threads as there are ``connections``.

    Each is tried at most ``attempts`` times where the store is busy or a connection breaks: all of them may be
    repeated. Every method raises Refused for an answer that is no success, and NoAnswer where none comes.
    """

    def __init__(
        self, endpoint: str, bucket: str, region: str, credentials: Credentials, connections: int, attempts: int
    ) -> None:
        self._endpoint = endpoint
        self._bucket = bucket
        self._region = region
        self._credentials = credentials
        self._retries = urllib3.Retry(
            attempts - 1,
            redirect=0,
            status_forcelist=_TRY_AGAIN,
            allowed_methods=None,
            backoff_factor=_PAUSE,
            raise_on_status=False,
        )
        self._pool = _pool(endpoint, connections)

    def close(self) -> None:
        """Let the connections go."""
        self._pool.close()

    def put(self, key: str, data: bytes, content_type: str) -> None:
        """Store the bytes under the key."""
        self._put(key, data, hashlib.sha256(data).hexdigest(), len(data), content_type)

    def put_file(self, key: str, path: Path, content_type: str) -> None:
        """Store the file under the key in one request. Cost: reads it twice, since what is sent gets signed."""
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            size = stream.tell()
            stream.seek(0)
            self._put(key, stream, digest, size, content_type)

    def get(self, key: str) -> bytes:
        """The bytes."""
        return self._send("GET", key).data

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """At most ``length`` bytes from ``start``, or from the end where it is negative."""
        wanted = f"bytes={start}" if start < 0 else f"bytes={start}-{start + max(length, 1) - 1}"
        try:
            answer = self._send("GET", key, {"range": wanted})
        except Refused as refused:
            if refused.status == 416:
                return b""
            raise
        # Some stores ignore the range and answer 200 with everything.
        return (answer.data[start:] if answer.status == 200 else answer.data)[:length]

    def has_bucket(self) -> bool:
        """Whether the bucket is there; one of somebody else's is refused with 403."""
        try:
            self._send("HEAD", "")
        except Refused as refused:
            if refused.status != 404:
                raise
            return False
        return True

    def head(self, key: str) -> BlobInfo | None:
        """The blob's facts, or None where it is not there; the latter costs a second request."""
        try:
            answer = self._send("HEAD", key)
        except Refused as refused:
            if refused.status != 404:
                raise
            # Without a body a missing bucket looks the same; that is no word about the blob.
            self._send("HEAD", "")
            return None
        modified = parsedate_to_datetime(answer.headers["last-modified"]).timestamp()
        return BlobInfo(key, int(answer.headers["content-length"]), modified)

    def _put(self, key: str, body: bytes | IO[bytes], sha256: str, size: int, content_type: str) -> None:
        headers = {
            "cache-control": cache_control(key),
            "content-length": str(size),
            "content-type": content_type,
            "x-amz-content-sha256": sha256,
        }
        self._send("PUT", key, headers, body)

    def _send(
        self, method: str, key: str, headers: Mapping[str, str] | None = None, body: bytes | IO[bytes] | None = None
    ) -> urllib3.BaseHTTPResponse:
        url = object_url(self._endpoint, self._bucket, key).removesuffix("/")
        sent = authorized(
            method,
            url,
            region=self._region,
            credentials=self._credentials,
            at=time.time(),
            headers={"x-amz-content-sha256": _NOTHING, **(headers or {})},
        )
        try:
            answer = self._pool.urlopen(
                method,
                urlsplit(url).path,
                body,
                sent,
                retries=self._retries,
                assert_same_host=False,
                decode_content=False,
            )
        except urllib3.exceptions.HTTPError as error:
            cause = error.reason if isinstance(error, urllib3.exceptions.MaxRetryError) else None
            raise NoAnswer(f"{type(cause or error).__name__}: {cause or error}") from error
        if answer.status not in {200, 204, 206}:
            found = _CODE.search(answer.data)
            raise Refused(answer.status, found[1].decode() if found else "")
        return answer


def _pool(endpoint: str, connections: int) -> urllib3.HTTPConnectionPool:
    """Connections straight to the endpoint: proxies of the environment do not count, as with boto3."""
    secure = urlsplit(endpoint).scheme == "https"
    trusted = os.environ.get("AWS_CA_BUNDLE")
    return urllib3.connection_from_url(
        endpoint,
        maxsize=connections,
        block=True,
        timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT, read=READ_TIMEOUT),
        **({"ca_certs": trusted} if secure and trusted else {}),
    )
