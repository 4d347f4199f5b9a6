"""A process's own credential, renewed in time: in its file, and in its connection."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import msgspec
from nats.aio.client import Client

from ..core.credentials import Credential
from ..core.nats_jwt import read_user
from ..errors import InputError, WheelfleetError
from ..ports import Clock
from .make_credentials import save_credential
from .token_use import CurrentToken

Ask = Callable[[str], Awaitable[str]]
"""A later token for the one that is given; may raise WheelfleetError."""
LONGEST_SLEEP: Final = 600.0
"""Seconds; a machine that slept must not find its credential expired because we did."""
_log = logging.getLogger(__name__)


def due_at(jwt: str) -> float | None:
    """When to renew the token, in seconds since 1970: after half of its time. None for one without an end."""
    scope = read_user(jwt)
    return (scope.issued_at + scope.expires) / 2 if scope.expires else None


async def renew_file(path: Path, credential: Credential, ask: Ask) -> str:
    """The file holds a later token, which is returned. Raises WheelfleetError where there is none to be had."""
    if path.suffix == ".toml":
        raise InputError(f"{path} is TOML, which is read but not written", "keep the credential as JSON")
    later = await ask(credential.jwt)
    await asyncio.to_thread(save_credential, path, msgspec.structs.replace(credential, jwt=later))
    return later


async def keep_renewed(
    path: Path, credential: Credential, token: CurrentToken, client: Client, ask: Ask, clock: Clock
) -> None:
    """Until cancelled, the credential in the file and the one shown to the server do not expire.

    Since the server ends a connection when the token that it began with expires, the client
    reconnects with the new one; its subscriptions stay. A failure is told and tried again.
    """
    while (due := due_at(token.jwt)) is not None:
        wait = due - clock.now()
        if wait > 0:
            await asyncio.sleep(min(wait, LONGEST_SLEEP))
            continue
        try:
            token.jwt = await renew_file(path, msgspec.structs.replace(credential, jwt=token.jwt), ask)
        except (WheelfleetError, OSError) as error:
            _log.warning("the credential of %s is not renewed yet: %s", credential.actor, error)
            await asyncio.sleep(max(1.0, min((read_user(token.jwt).expires - clock.now()) / 10, LONGEST_SLEEP)))
            continue
        _log.info("the credential of %s is renewed", credential.actor)
        await client.force_reconnect()
