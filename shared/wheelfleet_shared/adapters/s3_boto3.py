"""What few S3 calls go by boto3: buckets, listings, deletions, and large files in parts.

Reading boto3 takes 0.2 s and a client as much again, so this module is read when such a call comes,
which in a short run is never.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import boto3
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from ..core.keys import cache_control
from ..core.presign import Credentials
from ..ports import BlobInfo
from .s3_requests import CONNECT_TIMEOUT, READ_TIMEOUT, NoAnswer, Refused

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PART: Final = 16 * 1024 * 1024


class Boto3Store:
    """One bucket of a store, by blocking calls; safe for any number of threads.

    Every method raises Refused for what the store refuses and NoAnswer where it does not answer.
    """

    def __init__(
        self, endpoint: str, bucket: str, region: str, credentials: Credentials, connections: int, attempts: int
    ) -> None:
        self._bucket = bucket
        self._region = region
        self._client = _connect(endpoint, region, credentials, connections, attempts)

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def create_bucket(self) -> None:
        """The bucket is there, as one of ours."""
        with _told(), suppress(self._client.exceptions.BucketAlreadyOwnedByYou):
            if self._region == "us-east-1":  # the one region that may not be named
                self._client.create_bucket(Bucket=self._bucket)
                return
            location = {"LocationConstraint": self._region}
            self._client.create_bucket(Bucket=self._bucket, CreateBucketConfiguration=location)  # type: ignore[arg-type]

    def put_large(self, key: str, path: Path, content_type: str) -> None:
        """Store the file under the key, in parts."""
        extra = {"ContentType": content_type, "CacheControl": cache_control(key)}
        transfer = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART, max_concurrency=4)
        with _told():
            self._client.upload_file(str(path), self._bucket, key, ExtraArgs=extra, Config=transfer)

    def delete(self, key: str) -> None:
        """Remove the blob."""
        with _told():
            self._client.delete_object(Bucket=self._bucket, Key=key)

    def pages(self, prefix: str, page_size: int) -> Iterator[list[BlobInfo]]:
        """Every blob whose key starts with the prefix, in key order, a request at a time."""
        paginator = self._client.get_paginator("list_objects_v2")
        options = {"PageSize": page_size}
        with _told():
            for page in paginator.paginate(Bucket=self._bucket, Prefix=prefix, PaginationConfig=options):  # type: ignore[arg-type]
                found = page.get("Contents", ())
                yield [BlobInfo(item["Key"], item["Size"], item["LastModified"].timestamp()) for item in found]


@contextmanager
def _told() -> Iterator[None]:
    """The library's errors become those that this module raises."""
    try:
        yield
    except (ClientError, BotoCoreError, Boto3Error) as error:
        # upload_file hides the answer of the store behind a sentence.
        answer = error.__context__ if isinstance(error, Boto3Error) else error
        if isinstance(answer, ClientError):
            status = answer.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            raise Refused(status, answer.response.get("Error", {}).get("Code", "")) from error
        raise NoAnswer(f"{type(error).__name__}: {error}") from error


def _connect(endpoint: str, region: str, credentials: Credentials, connections: int, attempts: int) -> "S3Client":
    """A client of these settings alone: profiles and files of the user's own AWS set-up do not count."""
    nothing = (None, None, os.devnull, None)
    core = Session(session_vars={"profile": (None, None, None, None), "config_file": nothing})
    session = boto3.session.Session(
        credentials.access_key, credentials.secret_key, region_name=region, botocore_session=core
    )
    options = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path"},
        # Checksums in trailers, the default since 2025, are refused by several servers over TLS.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        retries={"max_attempts": attempts, "mode": "standard"},
        max_pool_connections=connections,
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        proxies={},
        tcp_keepalive=True,
    )
    return session.client("s3", endpoint_url=endpoint, config=options)
