"""The way from a command to its cluster: which one, as whom, and questions to its coordinator."""

import asyncio
import contextlib
import logging
import os
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec
import typer
from msgspec import DecodeError
from nats.aio.client import Client
from nats.errors import Error as NatsError

from wheelfleet_shared.adapters.clock import SystemClock
from wheelfleet_shared.adapters.make_credentials import load_credential
from wheelfleet_shared.adapters.nats_bus import NatsBus
from wheelfleet_shared.adapters.nats_connection import connect
from wheelfleet_shared.adapters.nats_log import NatsLog
from wheelfleet_shared.adapters.nats_streams import log_incarnation
from wheelfleet_shared.adapters.renewal import due_at, renew_file
from wheelfleet_shared.core import messages as m
from wheelfleet_shared.core.credentials import Credential
from wheelfleet_shared.core.envelope import Aggregate, Envelope
from wheelfleet_shared.core.events import Event
from wheelfleet_shared.errors import (
    CancelledError,
    InfrastructureError,
    InputError,
    NoResponders,
    RequestTimeout,
    WheelfleetError,
)
from wheelfleet_shared.ports import Append, Conflict

from ..app.cluster_files import AgentWishes, Cluster, data_folder, wished_interpreters
from ..app.embedded import attach, is_up
from .settings import Format, Settings

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer", bound=m.Message)
ANSWER_WITHIN = 15.0
"""Seconds for an answer; the coordinator makes them from memory."""
PATIENCE = 20.0
"""Seconds for which a coordinator that is away is waited for."""
_BETWEEN_TRIES = 0.3
_BETWEEN_LOOKS = 0.5
"""Seconds between two looks at whether the cluster is still there, while it is waited for."""
Result = TypeVar("Result")


class ClusterStopped(InfrastructureError):
    """Somebody stopped the embedded cluster, or it stopped by itself: waiting is of no use."""


class Link:
    """A connection to one cluster. Everything may raise InfrastructureError.

    stopped: whether the cluster was stopped for good, as far as can be seen without asking it.
    """

    def __init__(
        self, client: Client, credential: Credential, log: NatsLog, *, stopped: Callable[[], bool] = lambda: False
    ) -> None:
        self.client = client
        self.credential = credential
        self.log = log
        self._bus = NatsBus(client)
        self._stopped = stopped

    async def unless_stopped(self, work: Awaitable[Result]) -> Result:
        """What the work gives.

        Raises ClusterStopped within seconds where the cluster was stopped meanwhile, and
        InfrastructureError where its server was out of reach for a while.
        """
        working = asyncio.ensure_future(work)
        unreachable = 0.0
        try:
            while not (await asyncio.wait({working}, timeout=_BETWEEN_LOOKS))[0]:
                unreachable = 0.0 if self.client.is_connected else unreachable + _BETWEEN_LOOKS
                if unreachable:
                    self._require_there()
                if unreachable > PATIENCE:
                    raise InfrastructureError("the connection to the cluster is lost", "see `wheelfleet doctor`")
            return working.result()
        finally:
            working.cancel()

    def _require_there(self) -> None:
        if self._stopped():
            raise ClusterStopped("the cluster was stopped", "the next command that needs it starts it again")

    async def ask(self, query: m.Query, kind: type[Answer], *, within: float = ANSWER_WITHIN) -> Answer:
        """The coordinator's answer; waits a while for one that starts again.

        Raises what the coordinator refuses with; RequestTimeout, NoResponders.
        """
        subject = f"q.{type(query).__name__.lower()}.{self.credential.actor}"
        end = time.monotonic() + PATIENCE
        while True:
            try:
                asked = self._bus.request(subject, m.encode_message(query), timeout=within)
                return _checked(await self.unless_stopped(asked), kind)
            except (NoResponders, RequestTimeout):
                self._require_there()
                if time.monotonic() > end:
                    raise
            await asyncio.sleep(_BETWEEN_TRIES)

    async def append(self, aggregate: Aggregate, expected: int, event: Event) -> bool:
        """Whether the event went in; False where somebody appended to the aggregate first."""
        envelope = Envelope(uuid.uuid4().hex, SystemClock().now(), event)
        outcomes = await self.log.append([Append(aggregate, expected, (envelope,))])
        return not isinstance(outcomes[0], Conflict)


async def http_url_of(link: Link) -> str:
    """Where the coordinator serves index and outputs: as the credential says, else as it says itself."""
    return link.credential.http_url or (await link.ask(m.Ping(), m.Pong)).http_url


def _checked(data: bytes, kind: type[Answer]) -> Answer:
    try:
        answer = m.decode_query_answer(data)
    except DecodeError as error:
        raise InfrastructureError(
            f"the coordinator's answer cannot be read: {error}", "bring wheelfleet here and there to one version"
        ) from error
    if isinstance(answer, m.Refusal):
        raise _refused(answer)
    if isinstance(answer, m.NotLeading):
        raise NoResponders("the coordinator that answers does not lead", "ask again: another one is to lead soon")
    if not isinstance(answer, kind):
        raise InfrastructureError(f"the coordinator answers with {type(answer).__name__}", "bring it to this version")
    return answer


def _refused(refusal: m.Refusal) -> WheelfleetError:
    kinds = {2: InputError, 3: InfrastructureError, 4: CancelledError}
    return kinds.get(refusal.exit_code, WheelfleetError)(refusal.what, refusal.next_step)


def find_credential(settings: Settings, environ: Mapping[str, str]) -> Credential:
    """The credential of the cluster to use: the configured one, else of the embedded one, which then runs.

    Raises InputError where the configuration is incomplete; InfrastructureError where the embedded
    cluster does not start.
    """
    url = environ.get("WHEELFLEET_NATS_URL", "")
    if settings.config is None and url:
        raise InputError(
            "WHEELFLEET_NATS_URL names a cluster, but there is no credential for it",
            "set WHEELFLEET_CREDENTIAL, or give --config, to the credential file that its operator gave you",
        )
    path = settings.config or Path(_attached(settings, environ).credential)
    credential = load_credential(path)
    return msgspec.structs.replace(credential, nats_url=url) if url else credential


def _attached(settings: Settings, environ: Mapping[str, str]) -> Cluster:
    quiet = settings.quiet or settings.format is Format.JSON
    data = data_folder(environ)
    announce = (lambda: None) if quiet else (lambda: say_starting(data))
    return attach(data, wishes=wishes_of(settings, environ), on_start=announce)


def say_starting(data: Path) -> None:
    """One line on standard error, since a start may take seconds on a busy machine."""
    typer.echo(f"starting the cluster in {data}: nats-server, S3 (juicefs), coordinator, agent …", err=True)


def wishes_of(settings: Settings, environ: Mapping[str, str]) -> AgentWishes:
    """What was said about the agent of the embedded cluster; raises InputError where it cannot be."""
    return AgentWishes(slots=settings.slots, sandbox=settings.sandbox, interpreters=wished_interpreters(environ))


def is_embedded(settings: Settings) -> bool:
    """Whether commands use the cluster of this machine's data folder."""
    return settings.config is None


@contextlib.asynccontextmanager
async def linked(settings: Settings) -> AsyncIterator[Link]:
    """A link to the cluster that the settings and the environment name, closed at the end."""
    credential = await asyncio.to_thread(find_credential, settings, os.environ)
    data = data_folder(os.environ)
    async with linked_as(credential, stopped=lambda: is_embedded(settings) and not is_up(data)) as link:
        if settings.config is not None:
            await _renew_if_due(link, settings.config)
        yield link


async def _renew_if_due(link: Link, path: Path) -> None:
    """A credential that is past half of its time is renewed in its file, as far as that works: nobody waits for it."""
    due = due_at(link.credential.jwt) if link.credential.jwt else None
    if due is None or SystemClock().now() < due:
        return

    async def ask(jwt: str) -> str:
        return (await link.ask(m.Renew(jwt), m.Renewed)).jwt

    try:
        await renew_file(path, load_credential(path), ask)
    except (WheelfleetError, OSError) as error:
        logger.warning("the credential %s is not renewed: %s", path, error)


@contextlib.asynccontextmanager
async def linked_as(credential: Credential, *, stopped: Callable[[], bool] = lambda: False) -> AsyncIterator[Link]:
    """A link to the cluster of the credential, closed at the end, whether or not its server is still there."""
    client = await connect(credential, name=f"wheelfleet command of {credential.actor}")
    try:
        incarnation = await log_incarnation(client)
        yield Link(client, credential, NatsLog(client, credential.actor, incarnation), stopped=stopped)
    finally:
        with contextlib.suppress(NatsError, OSError):
            await client.close()
