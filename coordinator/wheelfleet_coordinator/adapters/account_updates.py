"""New tokens of accounts, brought to the servers of a fleet while they run."""

import asyncio
import contextlib
from collections.abc import Collection
from typing import Any

import msgspec

from wheelfleet_shared.adapters.nats_connection import connect
from wheelfleet_shared.core.credentials import Credential
from wheelfleet_shared.core.fleet_accounts import CLAIMS_UPDATE
from wheelfleet_shared.errors import InfrastructureError

ANSWERS_WITHIN = 5.0


async def bring(credential: Credential, tokens: Collection[str], servers: int) -> int:
    """How many of the servers took every token; those that were away hear of them from the others.

    Actors whose keys a token takes away are disconnected before a server answers.
    Raises InfrastructureError where none answers, or one refuses.
    """
    client = await connect(credential, name="wheelfleet account update")
    try:
        inbox = client.new_inbox()
        answers = await client.subscribe(inbox)
        fewest = servers
        for token in tokens:
            await client.publish(CLAIMS_UPDATE, token.encode(), reply=inbox)
            fewest = min(fewest, await _count(answers, servers))
    finally:
        await client.close()
    if not fewest:
        raise InfrastructureError("no NATS server took the new account token", "read the server's log, and try again")
    return fewest


async def _count(answers: Any, servers: int) -> int:
    taken = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(ANSWERS_WITHIN):
            while taken < servers:
                message = await answers.next_msg(timeout=ANSWERS_WITHIN)
                _require_taken(message.data)
                taken += 1
    return taken


def _require_taken(data: bytes) -> None:
    answer = msgspec.json.decode(data)
    if problem := answer.get("error"):
        raise InfrastructureError(
            f"a NATS server refuses the account token: {problem.get('description', problem)}", "read its log"
        )
