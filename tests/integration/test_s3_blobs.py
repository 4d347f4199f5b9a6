"""What only the S3 store has to do: keep its secret, speak of faults, and treat large files well."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from fixed_clock import FixedClock
from s3_server import juicefs_gateway
from wheelfleet_shared.adapters import s3_blobs, s3_boto3
from wheelfleet_shared.adapters.s3_blobs import S3Blobs, S3Settings
from wheelfleet_shared.core.keys import blob_key
from wheelfleet_shared.errors import InfrastructureError
from wheelfleet_shared.names import Sha256
from wheelfleet_shared.ports import Blobs

DIGEST = Sha256("5e" * 32)
WHEEL = blob_key(DIGEST, "demo-1.0+local.1-1-py3-none-any.whl")


@pytest.fixture(scope="module")
def settings(tmp_path_factory) -> Iterator[S3Settings]:
    with juicefs_gateway(tmp_path_factory.mktemp("juicefs")) as found:
        yield found


@pytest.fixture(scope="module")
def blobs(settings) -> Iterator[S3Blobs]:
    found = S3Blobs(settings, FixedClock(time.time()))
    asyncio.run(found.ensure_bucket())
    yield found
    asyncio.run(found.close())


def test_a_signed_url_holds_no_secret(blobs, settings):
    upload = blobs.sign_put(WHEEL, sha256=DIGEST, size=1, expires=600)
    url = blobs.sign_get(WHEEL, expires=600)
    assert settings.secret_key not in url + upload.url + str(upload.headers) + repr(settings) + str(settings)
    assert settings.access_key in urlsplit(url).query


def test_pages_may_not_be_kept_without_asking_and_blobs_may(blobs):
    async def body(key):
        await blobs.put(key, b"x", "text/html")

    asyncio.run(body(WHEEL))
    asyncio.run(body("indexes/main/cpu/simple/demo/index.html"))
    answers = [
        httpx.get(blobs.sign_get(key, expires=600), trust_env=False).headers
        for key in (WHEEL, "indexes/main/cpu/simple/demo/index.html")
    ]
    assert [answer["cache-control"] for answer in answers] == ["max-age=31536000, immutable", "no-cache"]
    assert {answer["content-type"] for answer in answers} == {"text/html"}


def test_large_files_go_up_in_parts(blobs, tmp_path, monkeypatch):
    part = 5 * 1024 * 1024  # the smallest part S3 takes
    monkeypatch.setattr(s3_blobs, "MULTIPART_FROM", part)
    monkeypatch.setattr(s3_boto3, "PART", part)
    data = bytes(range(256)) * (part // 256) + b"the second part"
    (tmp_path / "wheel").write_bytes(data)

    async def body():
        await blobs.put_file(WHEEL, tmp_path / "wheel", "application/octet-stream")
        assert await blobs.get(WHEEL) == data

    asyncio.run(body())


async def all_operations(blobs: Blobs, path: Path) -> list[BaseException | None]:
    async def listing():
        async for _ in blobs.list(""):
            pass

    calls = [blobs.put("a", b"", "x/y"), blobs.put_file("a", path, "x/y"), blobs.get("a"), blobs.head("a"), listing()]
    calls += [blobs.get_range("a", 0, 1), blobs.delete("a")]
    return await asyncio.gather(*calls, return_exceptions=True)


def test_a_wrong_key_makes_everything_unknown_and_nothing_missing(settings, tmp_path):
    stranger = S3Settings(settings.endpoint_url, settings.bucket, settings.access_key, "not the secret")
    assert_unknown(stranger, tmp_path, "clocks")


def test_a_missing_bucket_makes_everything_unknown_and_nothing_missing(settings, tmp_path):
    nowhere = S3Settings(settings.endpoint_url, "other-bucket", settings.access_key, settings.secret_key)
    assert_unknown(nowhere, tmp_path, "bucket")


def test_an_endpoint_that_answers_nothing_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(s3_blobs, "ATTEMPTS", 1)
    assert_unknown(S3Settings("http://127.0.0.1:1", "wheels", "k", "s"), tmp_path, "127.0.0.1:1")


def assert_unknown(settings: S3Settings, folder: Path, said: str) -> None:
    (folder / "file").write_bytes(b"x")

    async def body():
        blobs = S3Blobs(settings, FixedClock(0.0))
        errors = await all_operations(blobs, folder / "file")
        await blobs.close()
        return errors

    errors = asyncio.run(body())
    assert {type(error) for error in errors} == {InfrastructureError}, errors
    for error in errors:
        assert said in str(error)
        assert settings.place in str(error)


def test_ensure_bucket_makes_it_once(settings):
    fresh = S3Settings(settings.endpoint_url, "made-here", settings.access_key, settings.secret_key)

    async def body():
        blobs = S3Blobs(fresh, FixedClock(0.0))
        await blobs.ensure_bucket()
        await blobs.ensure_bucket()
        await blobs.put("a", b"x", "text/plain")
        await blobs.close()

    asyncio.run(body())


def test_the_users_own_set_up_for_aws_does_not_count(settings, monkeypatch, tmp_path):
    (tmp_path / "config").write_text("this is [no configuration")
    monkeypatch.setenv("AWS_PROFILE", "of another project")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of another project")

    async def body():
        found = S3Blobs(settings, FixedClock(0.0))
        await found.ensure_bucket()
        await found.close()

    asyncio.run(body())
