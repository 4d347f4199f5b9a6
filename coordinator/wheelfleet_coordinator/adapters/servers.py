"""The real servers of an embedded cluster as child processes: nats-server, and JuiceFS's S3 gateway."""

import asyncio
import contextlib
import json
import socket
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable
from pathlib import Path

from wheelfleet_shared.core.configuration import StoreConfig
from wheelfleet_shared.core.nats_config import NatsConfig, render
from wheelfleet_shared.errors import InfrastructureError

from .binaries import find_binary
from .processes import last_lines, start_process, stop_process

READY_WITHIN = 30.0
"""Seconds that a server may take to answer; both take less than one on an idle machine."""
_BETWEEN_PROBES = 0.02
_VOLUME = "wheelfleet"


def choose_port(wanted: int = 0) -> int:
    """``wanted`` where it is free on loopback, else one that is."""
    for port in (wanted, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            # As the servers do: connections of a predecessor that linger do not block its port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise InfrastructureError("no port is free on loopback", "end some of the processes that listen")


async def start_nats(config: NatsConfig, folder: Path, log: Path) -> Process:
    """A server that takes connections at ``config.port``, which must not be -1.

    The configuration is written to ``folder``; it holds public keys only.
    Raises InfrastructureError with the end of its log.
    """
    binary = find_binary("nats-server")
    path = _write_config(config, folder)
    process = await start_process([binary, "-c", path], env={}, folder=folder, log=log)
    await until_ready("nats-server", process, lambda: _banner_names(config.port, config.server_name), log)
    return process


async def start_juicefs(folder: Path, store: StoreConfig, port: int, log: Path) -> Process:
    """A gateway that serves the bucket of ``store`` from ``folder``, made there at the first start.

    The keys reach it by its environment alone. Blobs and metadata lie in ``folder``, which may be moved.
    Raises InfrastructureError with the end of its log.
    """
    binary = find_binary("juicefs")
    if not _is_formatted(folder):
        await _format(binary, folder, log)
    process = await start_process(_gateway(binary, folder, port), env=_keys(store), folder=folder, log=log)
    await until_ready("juicefs", process, lambda: _answers(port, "/minio/health/ready"), log)
    try:
        await asyncio.to_thread(_have_bucket, folder, store)
    except BaseException:
        await stop_process(process, grace=2)
        raise
    return process


async def until_ready(
    name: str, process: Process, ready: Callable[[], Awaitable[bool]], log: Path, within: float = READY_WITHIN
) -> None:
    """``ready`` has answered True while the process ran.

    Raises InfrastructureError with the end of the log when the process ends before, or (then it is
    ended) takes longer than ``within`` seconds.
    """
    try:
        async with asyncio.timeout(within):
            while process.returncode is None:
                if await ready() and process.returncode is None:
                    return
                await asyncio.sleep(_BETWEEN_PROBES)
        problem = f"{name} ended with status {process.returncode} before it was ready"
    except TimeoutError:
        await stop_process(process, grace=2)
        problem = f"{name} was not ready within {within:.0f} s"
    except BaseException:
        await stop_process(process, grace=2)
        raise
    raise InfrastructureError(f"{problem}; the end of {log}:\n{last_lines(log)}", f"read {log}")


def _write_config(config: NatsConfig, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / "nats.conf"
    path.write_text(render(config), encoding="utf-8")
    return path


def _is_formatted(folder: Path) -> bool:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return (folder / "formatted").exists()


async def _format(binary: Path, folder: Path, log: Path) -> None:
    """Relative paths, so that any folder name will do; an existing volume is left as it is."""
    options = ["--no-agent", "--no-update", "--trash-days", "0", "--storage", "file", "--bucket", f"{folder}/blobs/"]
    argv = [str(binary), "format", *options, "sqlite3://meta.db", _VOLUME]
    process = await start_process(argv, env={}, folder=folder, log=log)
    if await process.wait() != 0:
        raise InfrastructureError(f"juicefs could not make its volume:\n{last_lines(log)}", f"read {log}")
    (folder / "formatted").touch()


def _gateway(binary: Path, folder: Path, port: int) -> list[str | Path]:
    """Without its debugging port, cache (the blobs lie on the same disk) and usage reports."""
    options = ["--no-agent", "--no-banner", "--no-usage-report", "--object-meta", "--keep-etag", "--multi-buckets"]
    values = {"--backup-meta": "0", "--cache-size": "0", "--metrics": "127.0.0.1:0", "--bucket": f"{folder}/blobs/"}
    pairs = [part for pair in values.items() for part in pair]
    return [binary, "gateway", *options, *pairs, "sqlite3://meta.db", f"127.0.0.1:{port}"]


def _keys(store: StoreConfig) -> dict[str, str]:
    return {"MINIO_ROOT_USER": store.access_key, "MINIO_ROOT_PASSWORD": store.secret_key}


def _have_bucket(folder: Path, store: StoreConfig) -> None:
    done = folder / "bucket"
    if not done.exists():
        _make_bucket(store)
        done.touch()


def _make_bucket(store: StoreConfig) -> None:
    import boto3  # noqa: PLC0415  # 0.2 s, needed at the first start alone
    import botocore.exceptions  # noqa: PLC0415

    client = boto3.client(
        "s3",
        endpoint_url=store.endpoint_url,
        region_name=store.region,
        aws_access_key_id=store.access_key,
        aws_secret_access_key=store.secret_key,
    )
    try:
        client.create_bucket(Bucket=store.bucket)
    except client.exceptions.BucketAlreadyOwnedByYou:
        return
    except botocore.exceptions.BotoCoreError as error:
        raise InfrastructureError(f"the bucket {store.bucket} could not be made: {error}", "try again") from None
    finally:
        client.close()


async def _banner_names(port: int, server_name: str) -> bool:
    """Whether the server that greets at the port is the one meant, not a stranger's."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    try:
        line = await asyncio.wait_for(reader.readline(), 5)
        return bool(json.loads(line.removeprefix(b"INFO "))["server_name"] == server_name)
    except (OSError, ValueError, KeyError, TimeoutError):
        return False
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _answers(port: int, path: str) -> bool:
    """Whether a GET ends well; by hand, as an HTTP library takes longer to read than the gateway to start."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        status = await asyncio.wait_for(reader.readline(), 5)
        return status.split()[1:2] == [b"200"]
    except (OSError, TimeoutError):
        return False
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
