"""A real S3 server for tests: the gateway of JuiceFS over SQLite and a folder, on loopback."""

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from wheelfleet_shared.adapters.s3_blobs import S3Settings

JUICEFS = Path(sys.executable).parent / "juicefs"


@contextmanager
def juicefs_gateway(folder: Path) -> Iterator[S3Settings]:
    """Settings of a server that runs until the block ends; its bucket is not made yet.

    Everything it writes stays in the folder. Ready in some 0.5 s.
    """
    endpoint = f"127.0.0.1:{_free_port()}"
    access_key, secret_key = "wheelfleet", secrets.token_urlsafe(24)
    meta = f"sqlite3://{folder}/meta.db"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "MINIO_ROOT_USER": access_key,
        "MINIO_ROOT_PASSWORD": secret_key,
    }
    _format(meta, folder, environment)
    with (folder / "gateway.out").open("wb") as output:
        process = subprocess.Popen(_command(meta, endpoint, folder), env=environment, stdout=output, stderr=output)
    try:
        _wait_until_ready(f"http://{endpoint}", process, folder)
        yield S3Settings(f"http://{endpoint}", "wheels", access_key, secret_key)
    finally:
        process.terminate()
        process.wait(10)


def _format(meta: str, folder: Path, environment: dict[str, str]) -> None:
    command = [
        JUICEFS,
        "format",
        "--storage",
        "file",
        "--bucket",
        f"{folder}/data/",
        "--trash-days",
        "0",
        meta,
        "tests",
    ]
    subprocess.run(command, env=environment, check=True, capture_output=True)


def _command(meta: str, endpoint: str, folder: Path) -> list[str | Path]:
    options = ["--object-meta", "--keep-etag", "--multi-buckets", "--no-usage-report", "--no-banner", "--no-bgjob"]
    places = ["--log", f"{folder}/gateway.log", "--cache-size", "0", "--metrics", "127.0.0.1:0"]
    return [JUICEFS, "gateway", *options, *places, "--backup-meta", "0", meta, endpoint]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], folder: Path) -> None:
    # The server tells nobody when it is ready, so its own health page is asked.
    deadline = time.monotonic() + 20
    with httpx.Client(trust_env=False) as client:
        while process.poll() is None and time.monotonic() < deadline:
            try:
                if client.get(f"{url}/minio/health/ready").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
    raise RuntimeError(f"the gateway did not start: {(folder / 'gateway.out').read_text()}")
