"""What lies in the object store of an embedded cluster, seen past the coordinator."""

import contextlib
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from wheelfleet_shared.adapters.make_credentials import read_private
from wheelfleet_shared.core.configuration import CoordinatorConfig, decode_config


class Store:
    """The object store of an embedded cluster, as its operator sees it; what cannot be had now is empty."""

    def __init__(self, data: Path) -> None:
        config = decode_config(read_private(data / "coordinator.json"), CoordinatorConfig).store
        keys = {"aws_access_key_id": config.access_key, "aws_secret_access_key": config.secret_key}
        self._client: Any = boto3.client("s3", endpoint_url=config.endpoint_url, region_name=config.region, **keys)
        self._bucket = config.bucket

    def keys(self, prefix: str) -> list[str]:
        """The keys below a prefix."""
        with contextlib.suppress(BotoCoreError, ClientError):
            found = self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix)
            return [item["Key"] for item in found.get("Contents", ())]
        return []

    def get(self, key: str) -> bytes:
        """What lies under a key."""
        with contextlib.suppress(BotoCoreError, ClientError):
            content: bytes = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            return content
        return b""
