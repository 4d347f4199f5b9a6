"""Signed URLs, against the example in the S3 documentation and against botocore as an oracle."""

import base64
import hashlib
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials

from wheelfleet_shared.core.presign import Credentials, authorized, object_url, presign

EXAMPLE = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
KEYS = ["plain.txt", "blobs/ab/a+b!c 1~é=&@:,;'()*.whl", "a%2Fb"]


def botocore_signs(method, url, headers, expires=600):
    request = AWSRequest(method, url, headers=headers)
    signer = S3SigV4QueryAuth(BotoCredentials(*EXAMPLE), "s3", "eu-test-1", expires=expires)
    signer.add_auth(request)
    stamp = parse_qs(urlsplit(request.url).query)["X-Amz-Date"][0]
    at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    return request.url, at


def test_the_example_of_the_s3_documentation():
    at = datetime(2013, 5, 24, tzinfo=UTC).timestamp()
    url = presign(
        "GET",
        "https://examplebucket.s3.amazonaws.com/test.txt",
        region="us-east-1",
        credentials=EXAMPLE,
        at=at,
        expires=86400,
    )
    assert url == (
        "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9000", "https://s3.test:443/", "http://s3.test:80"])
@pytest.mark.parametrize("key", KEYS)
def test_reading_is_signed_as_botocore_signs_it(endpoint, key):
    url = object_url(endpoint, "wheels", key)
    theirs, at = botocore_signs("GET", url, {})
    assert presign("GET", url, region="eu-test-1", credentials=EXAMPLE, at=at, expires=600) == theirs


@pytest.mark.parametrize("key", KEYS)
def test_content_and_headers_are_signed_as_botocore_signs_headers(key):
    digest = hashlib.sha256(b"content")
    headers = {
        "x-amz-content-sha256": digest.hexdigest(),
        "x-amz-checksum-sha256": base64.b64encode(digest.digest()).decode(),
        "content-length": "7",
        "cache-control": "max-age=31536000,  immutable",
    }
    url = object_url("http://127.0.0.1:9000", "wheels", key)
    theirs, at = botocore_signs("PUT", url, headers)
    ours = presign("PUT", url, region="eu-test-1", credentials=EXAMPLE, at=at, expires=600, headers=headers)
    assert ours == theirs


def test_the_secret_is_neither_in_the_url_nor_in_the_repr():
    url = presign("GET", "http://s3.test/a", region="r", credentials=EXAMPLE, at=0.0, expires=1)
    assert EXAMPLE.secret_key not in url + repr(EXAMPLE) + str(EXAMPLE)
    assert EXAMPLE.access_key in url


def test_the_example_of_the_s3_documentation_for_headers():
    sent = authorized(
        "GET",
        "https://examplebucket.s3.amazonaws.com/test.txt",
        region="us-east-1",
        credentials=EXAMPLE,
        at=datetime(2013, 5, 24, tzinfo=UTC).timestamp(),
        headers={"range": "bytes=0-9", "x-amz-content-sha256": hashlib.sha256(b"").hexdigest()},
    )
    assert sent["authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
        " SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
        " Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9000", "https://s3.test:443/", "http://s3.test:80"])
@pytest.mark.parametrize("key", [*KEYS, ""])
def test_requests_of_our_own_are_signed_as_botocore_signs_them(endpoint, key):
    url = object_url(endpoint, "wheels", key)
    headers = {"cache-control": "no-cache", "content-length": "7", "content-type": "text/html; charset=utf-8"}
    request = AWSRequest("PUT", url, headers=headers, data=b"content")
    request.context["client_config"] = None
    S3SigV4Auth(BotoCredentials(*EXAMPLE), "s3", "eu-test-1").add_auth(request)
    at = datetime.strptime(request.context["timestamp"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    ours = {**headers, "x-amz-content-sha256": hashlib.sha256(b"content").hexdigest()}
    sent = authorized("PUT", url, region="eu-test-1", credentials=EXAMPLE, at=at, headers=ours)
    theirs = {name.lower(): value for name, value in request.headers.items()}
    assert {name: theirs.get(name) for name in sent if name != "x-amz-content-sha256"} == {
        name: value for name, value in sent.items() if name != "x-amz-content-sha256"
    }
    assert EXAMPLE.secret_key not in str(sent)
