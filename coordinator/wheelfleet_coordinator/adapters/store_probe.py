"""What an object store really does, found out by trying.

Stores that speak S3 differ, and several answer 200 to conditions that they ignore; so nothing is
taken from a name or a version. All odd requests go by signed URL over plain HTTP, as an agent's do.
"""

import asyncio
import hashlib
import uuid
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final, Literal, NamedTuple

import httpx
import msgspec

from wheelfleet_shared.adapters.s3_blobs import S3Blobs, S3Settings
from wheelfleet_shared.core.presign import object_url, presign, upload_headers
from wheelfleet_shared.errors import InfrastructureError
from wheelfleet_shared.names import Sha256
from wheelfleet_shared.ports import Clock

_RIGHT: Final = b"the content that was promised"
_WRONG: Final = b"the content that was smuggled"
_JSON_PAGE: Final = "application/vnd.pypi.simple.v1+json"
_EXPIRES: Final = 300
_LONG_AGO: Final = 7200
_TIMEOUT: Final = 30


class StoreAbilities(msgspec.Struct, frozen=True):
    """What a store was seen to do.

    round_trip: bytes come back, and their size. content_type: it is kept. ranges: from the start
    and from the end. paging: a listing over several requests is complete and in order.
    authenticated: nobody writes without a signature. signed_upload, key_enforced,
    content_enforced, expiry_enforced: a signed URL works, for its key, content and time alone.
    create_only: If-None-Match keeps what is there. slash_keys: keys may end in a slash.
    clock_skew: seconds by which the store's clock is ahead of ours, to the second.
    """

    round_trip: bool
    content_type: bool
    ranges: bool
    paging: bool
    authenticated: bool
    signed_upload: bool
    key_enforced: bool
    content_enforced: bool
    expiry_enforced: bool
    create_only: bool
    slash_keys: bool
    clock_skew: float

    @property
    def usable(self) -> bool:
        """Whether wheelfleet can work with the store safely."""
        return not any(name in _NEEDED for name in self._lacking())

    @property
    def remarks(self) -> tuple[str, ...]:
        """A sentence for each thing that the store lacks, the grave ones first."""
        lacking = self._lacking()
        skewed = abs(self.clock_skew) > 60
        skew = f"the store's clock differs from ours by {self.clock_skew:.0f} s: signed URLs may be refused"
        return (*(_LACKS[name] for name in lacking), *((skew,) if skewed else ()))

    def _lacking(self) -> tuple[str, ...]:
        return tuple(name for name in _LACKS if not getattr(self, name))


_NEEDED: Final = {
    "round_trip": "what was written does not come back: unusable",
    "ranges": "parts of blobs cannot be read: wheels cannot be verified without fetching them whole",
    "paging": "long listings come back incomplete: index checks and clean-ups would miss blobs",
    "authenticated": "anybody may write without a key: every wheel can be replaced; restrict the store",
    "signed_upload": "signed uploads are refused: agents cannot deliver; check key, region and clocks",
    "key_enforced": "a URL signed for one key writes another: agents could replace any wheel",
    "expiry_enforced": "signed URLs never end: one that leaks is good for ever",
}
_LACKS: Final = _NEEDED | {
    "content_enforced": "signed uploads take other content: uploads have to be staged and checked",
    "content_type": "content types are lost: serve the index by the coordinator, not by the store itself",
    "create_only": "conditional writes are ignored: harmless, blobs are named by their content",
    "slash_keys": "keys cannot end in a slash: serve the index by the coordinator, not by the store itself",
}


class _Subject(NamedTuple):
    settings: S3Settings
    clock: Clock
    blobs: S3Blobs
    http: httpx.AsyncClient
    folder: str


async def probe(settings: S3Settings, clock: Clock) -> StoreAbilities:
    """What the store at these settings does; everything written for it is deleted again.

    The bucket has to be there. Some 25 small requests. Raises InfrastructureError where the
    store cannot be reached or refuses the key.
    """
    blobs = await asyncio.to_thread(S3Blobs, settings, clock, page_size=2)
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=_TIMEOUT) as http:
            subject = _Subject(settings, clock, blobs, http, f"_meta/probe/{uuid.uuid4().hex}")
            return await _try_everything(subject)
    except httpx.TransportError as error:
        what = f"the object store {settings.place} broke off a request: {type(error).__name__}"
        raise InfrastructureError(what, "check that the store runs and can be reached from here") from error
    finally:
        await blobs.close()


async def _try_everything(subject: _Subject) -> StoreAbilities:
    try:
        return StoreAbilities(
            round_trip=await _round_trip(subject),
            content_type=await _content_type(subject),
            ranges=await _ranges(subject),
            paging=await _paging(subject),
            authenticated=await _authenticated(subject),
            signed_upload=await _signed_upload(subject),
            key_enforced=await _key_enforced(subject),
            content_enforced=await _content_enforced(subject),
            expiry_enforced=await _expiry_enforced(subject),
            create_only=await _create_only(subject),
            slash_keys=await _slash_keys(subject),
            clock_skew=await _clock_skew(subject),
        )
    finally:
        async for left in subject.blobs.list(f"{subject.folder}/"):
            await subject.blobs.delete(left.key)


async def _round_trip(subject: _Subject) -> bool:
    key = f"{subject.folder}/page"
    await subject.blobs.put(key, _RIGHT, _JSON_PAGE)
    info = await subject.blobs.head(key)
    return await subject.blobs.get(key) == _RIGHT and info is not None and info.size == len(_RIGHT)


async def _content_type(subject: _Subject) -> bool:
    answer = await _get(subject, "page")
    return bool(answer.headers.get("content-type") == _JSON_PAGE)


async def _ranges(subject: _Subject) -> bool:
    for wanted, expected in (("bytes=4-10", _RIGHT[4:11]), ("bytes=-8", _RIGHT[-8:])):
        answer = await _get(subject, "page", {"range": wanted})
        if (answer.status_code, answer.content) != (206, expected):
            return False
    return True


async def _paging(subject: _Subject) -> bool:
    names = [f"{subject.folder}/list/{number}" for number in range(5)]
    for name in names:
        await subject.blobs.put(name, b"", "text/plain")
    return [info.key async for info in subject.blobs.list(f"{subject.folder}/list/")] == names


async def _authenticated(subject: _Subject) -> bool:
    await subject.http.put(_url(subject, "anonymous"), content=_WRONG)
    return not await _stored(subject, "anonymous")


async def _signed_upload(subject: _Subject) -> bool:
    await _put(subject, "upload", _promise(subject, "upload"), _RIGHT)
    return await _stored(subject, "upload") == _RIGHT


async def _key_enforced(subject: _Subject) -> bool:
    headers = _promise(subject, "here")
    url = _sign(subject, "PUT", "here", headers).replace("/here?", "/there?")
    await subject.http.put(url, headers=headers, content=_RIGHT)
    return not await _stored(subject, "there")


async def _content_enforced(subject: _Subject) -> bool:
    await _put(subject, "wrong", _promise(subject, "wrong"), _WRONG)
    return not await _stored(subject, "wrong")


async def _expiry_enforced(subject: _Subject) -> bool:
    await _put(subject, "late", _promise(subject, "late"), _RIGHT, age=_LONG_AGO)
    return not await _stored(subject, "late")


async def _create_only(subject: _Subject) -> bool:
    for content in (_RIGHT, _WRONG):
        await _put(subject, "once", {"if-none-match": "*"}, content)
    return await _stored(subject, "once") == _RIGHT


async def _slash_keys(subject: _Subject) -> bool:
    await _put(subject, "slash/", {}, _RIGHT)
    answer = await _get(subject, "slash/")  # some stores have no clear answer here
    return answer.content == _RIGHT


async def _clock_skew(subject: _Subject) -> float:
    answer = await _get(subject, "page")
    said = answer.headers.get("date")
    return parsedate_to_datetime(said).timestamp() - subject.clock.now() if said else 0.0


async def _stored(subject: _Subject, name: str) -> bytes:
    """What lies under the name now, empty for nothing; only this shows what a store did.

    Raises InfrastructureError for any answer but yes or no: silence must not pass for a refusal.
    """
    answer = await _get(subject, name)
    if not answer.is_success and answer.status_code != httpx.codes.NOT_FOUND:
        what = f"the object store {subject.settings.place} answers {answer.status_code} to a signed GET"
        raise InfrastructureError(what, "look into the store's own log")
    return answer.content if answer.is_success else b""


async def _get(subject: _Subject, name: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
    return await subject.http.get(_sign(subject, "GET", name, {}), headers=headers)


async def _put(subject: _Subject, name: str, headers: Mapping[str, str], content: bytes, age: int = 0) -> None:
    await subject.http.put(_sign(subject, "PUT", name, headers, age), headers=headers, content=content)


def _promise(subject: _Subject, name: str) -> dict[str, str]:
    sha256 = Sha256(hashlib.sha256(_RIGHT).hexdigest())
    return upload_headers(f"{subject.folder}/{name}", sha256, len(_RIGHT))


def _url(subject: _Subject, name: str) -> str:
    return object_url(subject.settings.endpoint_url, subject.settings.bucket, f"{subject.folder}/{name}")


def _sign(subject: _Subject, method: Literal["GET", "PUT"], name: str, headers: Mapping[str, str], age: int = 0) -> str:
    return presign(
        method,
        _url(subject, name),
        region=subject.settings.region,
        credentials=subject.settings.credentials,
        at=subject.clock.now() - age,
        expires=_EXPIRES,
        headers=headers,
    )
