"""Waiting for a server that is about to start."""

import asyncio
from typing import Final

from ..core.credentials import Credential
from ..errors import InfrastructureError
from .nats_connection import connect

_PAUSE: Final = 0.05


async def until_answered(credential: Credential, patience: float) -> None:
    """A server took a connection of this credential, or ``patience`` seconds are over; 0 asks nobody."""
    loop = asyncio.get_running_loop()
    end = loop.time() + patience
    while loop.time() < end:
        try:
            client = await connect(credential, name=f"{credential.actor} waits")
        except InfrastructureError:
            await asyncio.sleep(_PAUSE)
        else:
            await client.close()
            return
