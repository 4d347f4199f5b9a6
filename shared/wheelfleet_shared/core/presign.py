"""AWS signatures, version 4: in the query of a URL for others, in headers for requests of our own.

Own code, since botocore's query signer always leaves the payload unsigned: here a signed
``x-amz-content-sha256`` header binds the URL to one content. The rules are those of the S3
documentation, "Authenticating Requests: Using Query Parameters" and "… Using the Authorization Header".
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import SplitResult, quote, urlencode, urlsplit

from ..names import Sha256
from .keys import cache_control

_ALGORITHM = "AWS4-HMAC-SHA256"
_CONTENT_HEADER = "x-amz-content-sha256"
_UNSIGNED = "UNSIGNED-PAYLOAD"
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class Credentials(NamedTuple):
    """A key pair of the object store; its repr hides the secret."""

    access_key: str
    secret_key: str

    def __repr__(self) -> str:
        return f"Credentials({self.access_key!r}, ...)"


def object_url(endpoint: str, bucket: str, key: str) -> str:
    """The path-style URL of an object, percent-encoded as signatures want it."""
    return f"{endpoint.rstrip('/')}/{bucket}/{quote(key, safe='/')}"


def upload_headers(key: str, sha256: Sha256, size: int) -> dict[str, str]:
    """The headers that bind an upload to its content; all of them get signed.

    Stores differ in which of the two digests they enforce. The content type keeps an upload
    from being served as a page.
    """
    return {
        "cache-control": cache_control(key),
        "content-length": str(size),
        "content-type": "application/octet-stream",
        "x-amz-checksum-sha256": base64.b64encode(bytes.fromhex(sha256)).decode(),
        "x-amz-content-sha256": sha256,
    }


def presign(
    method: str,
    url: str,
    *,
    region: str,
    credentials: Credentials,
    at: float,
    expires: int,
    headers: Mapping[str, str] | None = None,
) -> str:
    """The URL with a signature that allows this method for ``expires`` seconds from ``at``.

    url: without a query, as ``object_url`` gives it. at: seconds since the epoch, UTC.
    expires: S3 allows a week at most. headers: lower-case names; the request must carry
    exactly these values. With ``x-amz-content-sha256`` among them the content is signed too.
    The URL holds the access key's name, never the secret. Cost: some 20 µs.
    """
    parts = urlsplit(url)
    signed = {"host": _host(parts), **(headers or {})}
    stamp = datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/{region}/s3/aws4_request"
    query = _query(f"{credentials.access_key}/{scope}", stamp, expires, signed)
    signature = _signature(credentials, scope, stamp, _canonical_request(method, parts.path, query, signed))
    return f"{url}?{query}&X-Amz-Signature={signature}"


def authorized(
    method: str, url: str, *, region: str, credentials: Credentials, at: float, headers: Mapping[str, str]
) -> dict[str, str]:
    """The headers with date and signature: the request must carry all of them, as they are.

    url: without a query, as ``object_url`` gives it. at: seconds since the epoch, UTC. headers: lower-case
    names, ``x-amz-content-sha256`` among them; all get signed. Unlike a signed URL, the URL of such a
    request can be shown to anybody. Cost: some 20 µs.
    """
    parts = urlsplit(url)
    stamp = datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/{region}/s3/aws4_request"
    sent = {**headers, "x-amz-date": stamp}
    signed = {"host": _host(parts), **sent}
    signature = _signature(credentials, scope, stamp, _canonical_request(method, parts.path, "", signed))
    names = ";".join(sorted(signed))
    credential = f"{credentials.access_key}/{scope}"
    sent["authorization"] = f"{_ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}"
    return sent


def _signature(credentials: Credentials, scope: str, stamp: str, request: str) -> str:
    text = "\n".join((_ALGORITHM, stamp, scope, hashlib.sha256(request.encode()).hexdigest()))
    return _hmac(_signing_key(credentials, scope), text).hex()


def _host(parts: SplitResult) -> str:
    """The Host header that clients send: they leave the scheme's own port out."""
    return parts.netloc.lower().removesuffix(_DEFAULT_PORTS.get(parts.scheme, ""))


def _query(credential: str, stamp: str, expires: int, signed: Mapping[str, str]) -> str:
    parameters = {  # in the order of their names, as the canonical request wants them
        "X-Amz-Algorithm": _ALGORITHM,
        "X-Amz-Credential": credential,
        "X-Amz-Date": stamp,
        "X-Amz-Expires": str(expires),
        "X-Amz-SignedHeaders": ";".join(sorted(signed)),
    }
    return urlencode(parameters, quote_via=quote, safe="")


def _canonical_request(method: str, path: str, query: str, signed: Mapping[str, str]) -> str:
    lines = "".join(f"{name}:{' '.join(signed[name].split())}\n" for name in sorted(signed))
    content = signed.get(_CONTENT_HEADER, _UNSIGNED)
    return "\n".join((method, path, query, lines, ";".join(sorted(signed)), content))


def _signing_key(credentials: Credentials, scope: str) -> bytes:
    key = f"AWS4{credentials.secret_key}".encode()
    for part in scope.split("/"):
        key = _hmac(key, part)
    return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
