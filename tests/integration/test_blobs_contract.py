"""What every object store of ours must do: the one in memory and a real S3 server, by the same tests."""

import asyncio
import hashlib
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import httpx
import pytest

from fixed_clock import FixedClock
from s3_server import juicefs_gateway
from wheelfleet_shared.adapters.memory_blobs import MemoryBlobs
from wheelfleet_shared.adapters.s3_blobs import S3Blobs, S3Settings
from wheelfleet_shared.core.keys import blob_key, metadata_key
from wheelfleet_shared.errors import BlobMissing
from wheelfleet_shared.names import Sha256
from wheelfleet_shared.ports import Blobs

NOW = 1_800_000_000.0
WHEEL = "demo-1.0+local.1-1-py3-none-any.whl"


class Store(NamedTuple):
    """A store, the clock it signs by, and how somebody without credentials puts and gets."""

    blobs: Blobs
    clock: FixedClock
    put: Callable[[str, dict[str, str], bytes], int]
    get: Callable[[str], tuple[int, bytes]]


@pytest.fixture(scope="module")
def settings(tmp_path_factory) -> Iterator[S3Settings]:
    with juicefs_gateway(tmp_path_factory.mktemp("juicefs")) as found:
        yield found


@pytest.fixture(scope="module")
def s3_store(settings) -> Iterator[Store]:
    with httpx.Client(trust_env=False) as client:
        clock = FixedClock(time.time())
        blobs = S3Blobs(settings, clock, page_size=2)
        asyncio.run(blobs.ensure_bucket())
        yield Store(
            blobs,
            clock,
            lambda url, headers, data: client.put(url, headers=headers, content=data).status_code,
            lambda url: ((answer := client.get(url)).status_code, answer.content),
        )
        asyncio.run(blobs.close())


@pytest.fixture
def memory_store() -> Store:
    clock = FixedClock(NOW)
    blobs = MemoryBlobs(clock)
    return Store(blobs, clock, blobs.put_signed, blobs.get_signed)


@pytest.fixture(params=["memory", "s3"])
def store(request) -> Iterator[Store]:
    found: Store = request.getfixturevalue(f"{request.param}_store")
    before = found.clock.at
    yield found
    found.clock.at = before


def content(request: pytest.FixtureRequest) -> tuple[bytes, Sha256]:
    """Bytes of the test's own, so that tests sharing a server cannot meet."""
    data = f"content for {request.node.name}".encode()
    return data, Sha256(hashlib.sha256(data).hexdigest())


@pytest.fixture
def wheel(request) -> tuple[str, bytes, Sha256]:
    data, sha256 = content(request)
    return blob_key(sha256, WHEEL), data, sha256


def test_what_was_put_is_read_back(store, wheel):
    key, data, _ = wheel

    async def body():
        await store.blobs.put(key, data, "application/octet-stream")
        await store.blobs.put(metadata_key(key), b"", "text/plain")
        assert await store.blobs.get(key) == data
        assert await store.blobs.get(metadata_key(key)) == b""
        info = await store.blobs.head(key)
        assert (info.key, info.size) == (key, len(data))
        assert abs(info.modified - store.clock.now()) < 300

    asyncio.run(body())


def test_a_second_put_replaces_the_first(store):
    async def body():
        for text in (b"first, and longer", b"second"):
            await store.blobs.put("indexes/main/cpu/simple/index.html", text, "text/html")
        assert await store.blobs.get("indexes/main/cpu/simple/index.html") == b"second"

    asyncio.run(body())


def test_a_missing_blob_is_said_to_be_missing(store, wheel):
    async def body():
        with pytest.raises(BlobMissing):
            await store.blobs.get(wheel[0])
        with pytest.raises(BlobMissing):
            await store.blobs.get_range(wheel[0], 0, 1)
        assert await store.blobs.head(wheel[0]) is None
        await store.blobs.delete(wheel[0])

    asyncio.run(body())


def test_a_deleted_blob_is_gone(store, wheel):
    async def body():
        await store.blobs.put(wheel[0], b"x", "text/plain")
        await store.blobs.delete(wheel[0])
        assert await store.blobs.head(wheel[0]) is None

    asyncio.run(body())


@pytest.mark.parametrize(
    ("start", "length", "expected"),
    [(0, 4, b"0123"), (3, 2, b"34"), (8, 9, b"89"), (-3, 9, b"789"), (-3, 2, b"78"), (-99, 99, b"0123456789")],
)
def test_a_range_is_what_a_slice_would_be(store, start, length, expected):
    async def body():
        await store.blobs.put("_meta/range", b"0123456789", "text/plain")
        assert await store.blobs.get_range("_meta/range", start, length) == expected

    asyncio.run(body())


@pytest.mark.parametrize(("data", "start"), [(b"0123", 4), (b"0123", 99), (b"", 0), (b"", -5)])
def test_a_range_beyond_the_end_is_empty(store, data, start):
    async def body():
        await store.blobs.put("_meta/short", data, "text/plain")
        assert await store.blobs.get_range("_meta/short", start, 3) == b""

    asyncio.run(body())


def test_a_listing_is_complete_and_in_key_order_over_several_requests(store):
    names = ["a/1", "a-b", "a.b", "a0", "é", "z+!"]

    async def body():
        for key in ["_meta/list-not", "_meta/lisu", *(f"_meta/list/{name}" for name in names)]:
            await store.blobs.put(key, b"12", "text/plain")
        found = [info async for info in store.blobs.list("_meta/list/")]
        assert [info.key for info in found] == sorted(f"_meta/list/{name}" for name in names)
        assert {info.size for info in found} == {2}
        assert [info.key async for info in store.blobs.list("_meta/list/a.")] == ["_meta/list/a.b"]
        assert [info async for info in store.blobs.list("_meta/none/")] == []

    asyncio.run(body())


def test_a_file_is_stored_without_being_read_by_the_caller(store, wheel, tmp_path):
    path = tmp_path / "wheel"
    path.write_bytes(wheel[1])

    async def body():
        await store.blobs.put_file(wheel[0], path, "application/octet-stream")
        assert await store.blobs.get(wheel[0]) == wheel[1]

    asyncio.run(body())


def test_many_requests_at_once(store):
    async def body():
        keys = [f"_meta/many/{number}" for number in range(40)]
        await asyncio.gather(*(store.blobs.put(key, key.encode(), "text/plain") for key in keys))
        assert await asyncio.gather(*(store.blobs.get(key) for key in keys)) == [key.encode() for key in keys]

    asyncio.run(body())


def test_a_signed_url_reads_for_those_who_have_no_keys(store, wheel):
    asyncio.run(store.blobs.put(wheel[0], wheel[1], "application/octet-stream"))
    assert store.get(store.blobs.sign_get(wheel[0], expires=600)) == (200, wheel[1])
    assert store.get(store.blobs.sign_get(wheel[0] + "x", expires=600))[0] == 404


def test_a_signed_url_reads_nothing_else_and_nothing_later(store, wheel):
    asyncio.run(store.blobs.put(wheel[0], wheel[1], "application/octet-stream"))
    url = store.blobs.sign_get(wheel[0], expires=600)
    assert store.get(url.replace("demo-1.0", "demo-1.1"))[0] == 403
    upload = store.blobs.sign_put(wheel[0], sha256=wheel[2], size=len(wheel[1]), expires=600)
    assert store.get(upload.url)[0] in range(400, 500)
    assert store.get(expired(store, lambda: store.blobs.sign_get(wheel[0], expires=600)))[0] == 403


def test_a_signed_upload_stores_its_content_and_keeps_it(store, wheel):
    upload = store.blobs.sign_put(wheel[0], sha256=wheel[2], size=len(wheel[1]), expires=600)
    assert store.put(upload.url, upload.headers, wheel[1]) == 200
    assert store.put(upload.url, upload.headers, wheel[1]) == 200
    assert store.put(upload.url, upload.headers, bytes(len(wheel[1]))) in range(400, 500)
    assert asyncio.run(store.blobs.get(wheel[0])) == wheel[1]


def test_a_signed_upload_takes_no_other_content(store, wheel):
    key, data, sha256 = wheel
    upload = store.blobs.sign_put(key, sha256=sha256, size=len(data), expires=600)
    other = bytes(reversed(data))
    theirs = {**upload.headers, "x-amz-content-sha256": hashlib.sha256(other).hexdigest()}
    assert store.put(upload.url, upload.headers, other) in range(400, 500)
    assert store.put(upload.url, theirs, other) == 403
    assert asyncio.run(store.blobs.head(key)) is None


def test_a_signed_upload_takes_no_other_length(store, wheel):
    key, data, sha256 = wheel
    upload = store.blobs.sign_put(key, sha256=sha256, size=len(data) - 1, expires=600)
    longer = {**upload.headers, "content-length": str(len(data))}
    assert store.put(upload.url, longer, data) == 403
    assert asyncio.run(store.blobs.head(key)) is None


@pytest.mark.parametrize("header", ["x-amz-content-sha256", "content-type"])
def test_a_signed_upload_needs_all_of_its_headers(store, wheel, header):
    key, data, sha256 = wheel
    upload = store.blobs.sign_put(key, sha256=sha256, size=len(data), expires=600)
    without = {name: value for name, value in upload.headers.items() if name != header}
    assert store.put(upload.url, without, data) in range(400, 500)
    assert asyncio.run(store.blobs.head(key)) is None


def test_a_signed_upload_goes_to_no_other_key(store, wheel):
    key, data, sha256 = wheel
    upload = store.blobs.sign_put(key, sha256=sha256, size=len(data), expires=600)
    assert store.put(upload.url.replace("demo-1.0", "demo-1.1"), upload.headers, data) == 403
    assert store.put(store.blobs.sign_get(key, expires=600), upload.headers, data) == 403
    assert asyncio.run(store.blobs.head(key)) is None


def test_a_signed_upload_ends(store, wheel):
    key, data, sha256 = wheel
    upload = expired(store, lambda: store.blobs.sign_put(key, sha256=sha256, size=len(data), expires=600))
    assert store.put(upload.url, upload.headers, data) == 403
    assert asyncio.run(store.blobs.head(key)) is None


def expired(store, sign):
    """What was signed two hours before the store's present."""
    present = store.clock.at
    store.clock.at = present - 7200
    signed = sign()
    store.clock.at = present
    return signed
