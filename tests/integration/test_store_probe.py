"""The probe of object stores, on a real one and on one that believes everybody."""

import asyncio
import time

import msgspec
import pytest

from credulous_store import credulous_store
from s3_server import juicefs_gateway
from wheelfleet_coordinator.adapters.store_probe import StoreAbilities, probe
from wheelfleet_shared.adapters.s3_blobs import S3Blobs
from wheelfleet_shared.errors import InfrastructureError


class HostClock:
    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)


ALL_WELL = StoreAbilities(*([True] * 11), clock_skew=0.0)


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    with juicefs_gateway(tmp_path_factory.mktemp("juicefs")) as found:
        yield found


def test_the_embedded_store_is_known_for_what_it_is(settings):
    async def body():
        blobs = S3Blobs(settings, HostClock())
        await blobs.ensure_bucket()
        found = await probe(settings, HostClock())
        left = [info async for info in blobs.list("")]
        await blobs.close()
        return found, left

    found, left = asyncio.run(body())
    expected = msgspec.structs.replace(ALL_WELL, create_only=False, slash_keys=False, clock_skew=found.clock_skew)
    assert found == expected
    assert abs(found.clock_skew) < 30
    assert found.usable
    assert len(found.remarks) == 2
    assert left == []


def test_a_wrong_key_is_an_error_and_no_inability(settings):
    wrong = msgspec.structs.replace(settings, secret_key="not the secret")
    with pytest.raises(InfrastructureError, match="403"):
        asyncio.run(probe(wrong, HostClock()))


def test_a_store_that_believes_everybody_is_found_out():
    with credulous_store() as settings:
        found = asyncio.run(probe(settings, HostClock()))
        left = asyncio.run(listing(settings))
    kept = {"round_trip", "paging", "signed_upload", "slash_keys"}
    lies = {name: name in kept for name in StoreAbilities.__struct_fields__ if name != "clock_skew"}
    assert found == StoreAbilities(**lies, clock_skew=found.clock_skew)
    assert not found.usable
    assert "anybody" in " ".join(found.remarks)
    assert left == []


async def listing(settings):
    blobs = S3Blobs(settings, HostClock())
    left = [info.key async for info in blobs.list("")]
    await blobs.close()
    return left


def test_a_range_is_cut_where_the_store_ignores_it():
    async def body(settings):
        blobs = S3Blobs(settings, HostClock())
        await blobs.put("a", b"0123456789", "text/plain")
        parts = [await blobs.get_range("a", 3, 4), await blobs.get_range("a", -2, 9), await blobs.get_range("a", 99, 1)]
        await blobs.close()
        return parts

    with credulous_store() as settings:
        assert asyncio.run(body(settings)) == [b"3456", b"89", b""]
