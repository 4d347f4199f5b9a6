"""The coordinator as a process: its configuration read, its adapters opened, its parts run."""

import asyncio
import contextlib
import logging
import os
import signal
import uuid
from collections.abc import AsyncIterator
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from nats.aio.client import Client
from nats.errors import Error as NatsError

from wheelfleet_shared.adapters.clock import SystemClock
from wheelfleet_shared.adapters.make_credentials import load_credential, read_private
from wheelfleet_shared.adapters.nats_bus import NatsBus
from wheelfleet_shared.adapters.nats_connection import connect, why_ended
from wheelfleet_shared.adapters.nats_log import NatsLog
from wheelfleet_shared.adapters.nats_streams import ensure_streams
from wheelfleet_shared.adapters.patience import until_answered
from wheelfleet_shared.adapters.renewal import keep_renewed
from wheelfleet_shared.adapters.s3_blobs import S3Blobs, S3Settings
from wheelfleet_shared.adapters.token_use import CurrentToken
from wheelfleet_shared.core.configuration import CoordinatorConfig, StoreConfig, decode_config
from wheelfleet_shared.core.credentials import Credential
from wheelfleet_shared.errors import InfrastructureError, InputError

from ..adapters.http_index import index_app
from ..adapters.http_server import RunningHttp, serve
from ..adapters.nats_leadership import NatsLeadership
from ..adapters.signed_links import SignedLinks
from ..adapters.source_trees import SourceTrees
from ..adapters.upstream import Upstream
from ..core.index_pages import page_of
from ..core.outputs import run_outputs
from ..core.run_sources import run_sources
from . import assembly
from .collecting import Collector
from .measuring import Measuring
from .queries import Queries, Serving
from .renewing import Renew, renewal_of

logger = logging.getLogger(__name__)


class _Opened(NamedTuple):
    ports: assembly.Ports
    blobs: S3Blobs
    client: Client
    token: CurrentToken


def run(config_path: Path) -> None:
    """Serve until SIGTERM or SIGINT; raises WheelfleetError where it cannot start or go on."""
    # Requests are logged with their URLs, and those may carry rights.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    data = read_private(config_path)
    config = decode_config(data, CoordinatorConfig, toml=config_path.suffix == ".toml", origin=str(config_path))
    asyncio.run(_until_stopped(config))


async def _until_stopped(config: CoordinatorConfig) -> None:
    """Run until a signal asks for the end, or the connection is over for good."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    credential = load_credential(Path(config.credential))
    renew = renewal_of(config.signing, SystemClock())
    async with _opened(config, credential, ended) as opened:
        serving = asyncio.create_task(_serve(config, credential, opened, renew))
        renewing = asyncio.create_task(_renew_own(config, credential, opened, renew))
        stop = asyncio.create_task(ended.wait())
        await asyncio.wait([serving, stop], return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if serving.done():
            await serving
        serving.cancel()
        renewing.cancel()
        await asyncio.gather(serving, renewing, return_exceptions=True)
        if opened.client.is_closed:
            raise why_ended(opened.client, credential)


@contextlib.asynccontextmanager
async def _opened(config: CoordinatorConfig, credential: Credential, ended: asyncio.Event) -> AsyncIterator[_Opened]:
    async def closed() -> None:
        ended.set()

    clock = SystemClock()
    blobs = S3Blobs(_settings(config.store), clock)
    # NATS first: where servers start beside us, it is started when the store is there.
    await until_answered(credential, config.patience)
    await blobs.ensure_bucket()
    token = CurrentToken(credential.jwt)
    client = await connect(credential, name=credential.actor, on_closed=closed, token=token)
    upstream = Upstream(os.environ, files=config.local_files)
    try:
        incarnation = await ensure_streams(client, replicas=config.replicas)
        ports = assembly.Ports(
            log=NatsLog(client, credential.actor, incarnation),
            bus=NatsBus(client),
            blobs=blobs,
            clock=clock,
            fetch_page=upstream.fetch_page,
            download=upstream.download,
            new_id=lambda: uuid.uuid4().hex,
            trees=SourceTrees(os.environ, files=config.local_files),
        )
        yield _Opened(ports, blobs, client, token)
    finally:
        await upstream.close()
        await client.close()
        await blobs.close()


def _settings(store: StoreConfig) -> S3Settings:
    return S3Settings(store.endpoint_url, store.bucket, store.access_key, store.secret_key, store.region)


async def _renew_own(config: CoordinatorConfig, credential: Credential, opened: _Opened, renew: Renew) -> None:
    """Its own credential lasts, where it has the keys for that."""
    if not config.signing or not credential.jwt:
        return

    async def ask(jwt: str) -> str:
        return renew(credential.actor, jwt)

    path = Path(config.credential)
    await keep_renewed(path, credential, opened.token, opened.client, ask, opened.ports.clock)


async def _serve(config: CoordinatorConfig, credential: Credential, opened: _Opened, renew: Renew) -> None:
    """Assemble, answer people and installers, and run until cancelled."""
    ports = opened.ports
    parts = assembly.assemble(ports, assembly.Times(), renew=renew)
    http = await _serve_http(config, parts, opened)
    # What reads pages takes 0.4 s to import: not before people are answered, and not on the loop either.
    reading = asyncio.create_task(asyncio.to_thread(import_module, "pypi_simple"))
    try:
        queries = Queries(
            parts.state,
            parts.desk.heartbeats,
            parts.leases,
            ports.blobs,
            ports.clock,
            Serving(version("wheelfleet"), http.url, config.store.endpoint_url),
            Collector(parts.state.world, parts.committer, ports.blobs),
            leading=lambda: parts.coordinator.leading,
            busy=lambda: parts.executor.busy,
            troubles=lambda: parts.executor.troubles,
            renew=renew,
        )
        logger.info("%s serves the index at %s", credential.actor, http.url)
        leadership = NatsLeadership(opened.client, credential.actor, ports.clock)
        await assembly.run(parts, ports.bus, queries.open, leadership=leadership)
    finally:
        await reading
        await http.stop()


async def _serve_http(config: CoordinatorConfig, parts: assembly.Assembled, opened: _Opened) -> RunningHttp:
    world, ports = parts.state.world, opened.ports
    tokens = [read_private(Path(path)).decode().strip() for path in config.http.token_files]
    if not tokens:
        raise InputError("the coordinator's configuration names no token file", "add http.token_files")
    application = index_app(
        lambda index, project, form: page_of(world, index, project, form),
        lambda run: run_outputs(world, run),
        lambda run: run_sources(world, run),
        ports.blobs,
        SignedLinks(ports.blobs, ports.clock),
        token=None if config.http.public else tokens[-1],
        operator_token=tokens[0],
        metrics=_measuring(parts, opened).text,
        healthy=lambda: opened.client.is_connected,
    )
    return await serve(application, config.http.host, config.http.port)


def _measuring(parts: assembly.Assembled, opened: _Opened) -> Measuring:
    async def ping() -> None:
        try:
            await opened.client.flush()
        except NatsError as error:
            raise InfrastructureError(f"NATS does not answer: {error}") from None

    return Measuring(
        parts.state,
        parts.desk.heartbeats,
        parts.leases,
        parts.committer,
        opened.ports.blobs,
        opened.ports.clock,
        ping=ping,
        leading=lambda: parts.coordinator.leading,
    )
