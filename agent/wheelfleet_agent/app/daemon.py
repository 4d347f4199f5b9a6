"""The agent as a process: its configuration read, its host probed, its parts run."""

import asyncio
import logging
import secrets
import shutil
import signal
import sys
import tempfile
import uuid
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Final

from msgspec.structs import replace
from nats.aio.client import Client

from wheelfleet_shared.adapters.build_log_stream import BuildLogWriter
from wheelfleet_shared.adapters.clock import SystemClock
from wheelfleet_shared.adapters.make_credentials import load_credential, read_private
from wheelfleet_shared.adapters.nats_bus import NatsBus
from wheelfleet_shared.adapters.nats_connection import connect, why_ended
from wheelfleet_shared.adapters.nats_log import NatsLog
from wheelfleet_shared.adapters.patience import until_answered
from wheelfleet_shared.adapters.renewal import keep_renewed
from wheelfleet_shared.adapters.token_use import CurrentToken
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core import messages as m
from wheelfleet_shared.core.configuration import AgentConfig, decode_config
from wheelfleet_shared.core.credentials import Credential
from wheelfleet_shared.core.messages import Work
from wheelfleet_shared.errors import InfrastructureError, WheelfleetError
from wheelfleet_shared.names import Actor

from ..adapters.cache import trim
from ..adapters.probe_host import probe_interpreter, probe_machine
from ..adapters.transfer import Transfer
from .agent import Agent, Capacity, Equipment, Times
from .attempt_files import StoredFiles
from .builder import HostBuilder
from .desk_client import DeskClient
from .host import Host, choose_sandbox, probe_host

logger = logging.getLogger(__name__)

CACHE_LIMIT: Final = 20 * 1024**3
"""Bytes that downloaded sources and wheels may take from one start of the agent to the next."""
BYTECODE_LIMIT: Final = 1024**3


def run(config_path: Path, labels: tuple[str, ...] = ()) -> None:
    """Serve until SIGTERM or SIGINT; raises WheelfleetError where it cannot start or go on.

    labels: beside those of the configuration.
    """
    # Requests are logged with their URLs, and signed URLs are rights.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    data = read_private(config_path)
    config = decode_config(data, AgentConfig, toml=config_path.suffix == ".toml", origin=str(config_path))
    asyncio.run(_serve(replace(config, labels=tuple(dict.fromkeys((*config.labels, *labels))))))


def probe() -> int:
    """Say which sandbox holds here; 0 when one does, 3 when none does."""
    with tempfile.TemporaryDirectory(prefix="wheelfleet-probe-") as folder:
        try:
            report = asyncio.run(_probe(Path(folder)))
        except WheelfleetError as error:
            print(error, file=sys.stderr)  # noqa: T201 - a command's answer
            return error.exit_code
    print(f"sandbox: {report}")  # noqa: T201
    return 0


async def _probe(folder: Path) -> str:
    # The interpreter below a virtual environment, as builds use it.
    interpreter = Path(getattr(sys, "_base_executable", sys.executable))
    report = await choose_sandbox("auto", folder, interpreter, await probe_interpreter(interpreter))
    return str(report.level)


async def _serve(config: AgentConfig) -> None:
    credential = load_credential(Path(config.credential))
    host = await probe_host(config)
    await asyncio.to_thread(_tidy, host.folder)
    lost = asyncio.Event()

    async def closed() -> None:
        lost.set()

    await until_answered(credential, config.patience)
    token = CurrentToken(credential.jwt)
    client = await connect(credential, name=credential.actor, on_closed=closed, token=token)
    transfer = Transfer(host.folder / "cache")
    renewing = asyncio.create_task(_renew(Path(config.credential), credential, token, client))
    try:
        agent = _agent(config, host, client, credential.actor, transfer)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, agent.stop)
        await _until_lost(agent, lost, lambda: why_ended(client, credential))
    finally:
        renewing.cancel()
        await transfer.close()
        await client.close()


async def _renew(path: Path, credential: Credential, token: CurrentToken, client: Client) -> None:
    """The credential lasts as long as a coordinator is there to renew it."""
    if not credential.jwt:
        return
    clock = SystemClock()
    desk = DeskClient(NatsLog(client, credential.actor, ""), NatsBus(client), clock, lambda: uuid.uuid4().hex)

    async def ask(jwt: str) -> str:
        answer = await desk.request("renew", m.Renew(jwt))
        if not isinstance(answer, m.Renewed):
            raise InfrastructureError("the coordinator does not renew credentials", "bring it to this version")
        return answer.jwt

    await keep_renewed(path, credential, token, client, ask, clock)


async def _until_lost(agent: Agent, lost: asyncio.Event, why: Callable[[], InfrastructureError]) -> None:
    serving = asyncio.create_task(agent.run())
    losing = asyncio.create_task(lost.wait())
    await asyncio.wait([serving, losing], return_when=asyncio.FIRST_COMPLETED)
    losing.cancel()
    if not serving.done():
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        raise why()
    await serving


def cores_per_build(cpus: int, slots: int) -> int:
    """The cores inside one build where the run does not say: an equal share, at least one."""
    return max(1, cpus // slots)


def _agent(config: AgentConfig, host: Host, client: Client, actor: Actor, transfer: Transfer) -> Agent:
    # An agent may not read the log, so it cannot ask for its incarnation either.
    log = NatsLog(client, actor, "")
    desk = DeskClient(log, NatsBus(client), SystemClock(), lambda: uuid.uuid4().hex)
    cores = cores_per_build(host.machine.cpus, config.slots)

    def open_attempt(work: Work) -> StoredFiles:
        logs = host.folder / "logs" / f"{work.build}-{work.fence}"
        logs.mkdir(parents=True, exist_ok=True)
        shown = BuildLogWriter(client, work.build, work.fence, actor)
        return StoredFiles(desk, transfer, work, logs, shown)

    def capacity() -> Capacity:
        now = probe_machine(host.folder)
        return Capacity(now.memory_free, now.disk_free)

    return Agent(
        desk,
        _equipment(config, host),
        HostBuilder(host, transfer, cores, SystemClock()),
        open_attempt,
        SystemClock(),
        capacity,
        Times(),
    )


def _equipment(config: AgentConfig, host: Host) -> Equipment:
    joined = e.AgentJoined(
        incarnation=secrets.token_hex(8),
        targets=tuple(sorted(host.interpreters)),
        slots=config.slots,
        labels=config.labels,
        memory=host.machine.memory,
        disk=host.machine.disk_free,
        sandbox=str(host.sandbox.level),
        toolchain=host.toolchain.digest,
        host=host.identity,
        version=version("wheelfleet"),
    )
    return Equipment(joined, tuple(found.definition for found in host.interpreters.values()))


def _tidy(folder: Path) -> None:
    """What an earlier process was at is gone, as nobody holds it any more; the cache is within its size."""
    for left in ("attempts", "trees"):
        shutil.rmtree(folder / left, ignore_errors=True)
    trim(folder / "cache", CACHE_LIMIT)
    trim(folder / "bytecode", BYTECODE_LIMIT)
