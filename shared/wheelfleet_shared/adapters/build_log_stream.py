"""Lines of running builds, for people who watch; the whole log of a build ends in the object store."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from nats.aio.client import Client
from nats.errors import Error as NatsError

from ..core.permissions import BLOG
from ..errors import InfrastructureError
from ..names import Actor, BuildId
from .nats_pull import pull

CHUNK = 32 * 1024
"""Bytes of one message at most."""
LIMIT = 64 * 1024**2
"""Bytes of one attempt at most; the rest is only in the stored log."""
_CUT = b"\n[the live log ends here at 64 MiB; the stored log goes on]\n"


class BuildLogWriter:
    """An agent's end of the log of one attempt, whose fence is part of the subject."""

    def __init__(self, client: Client, build: BuildId, fence: int, actor: Actor) -> None:
        self._client = client
        self._subject = f"blog.{build}.{fence}.{actor}"
        self._left = LIMIT

    async def write(self, data: bytes) -> None:
        """The bytes are on their way in messages of at most 32 KiB; some may be lost, none come twice.

        Beyond 64 MiB one last line says so and the rest is dropped. Raises InfrastructureError where
        the connection is closed. Cost: no round trip; give it some lines at a time.
        """
        if self._left <= 0:
            return
        data, self._left = (data, self._left - len(data)) if len(data) <= self._left else (data[: self._left] + _CUT, 0)
        for start in range(0, len(data), CHUNK):
            await self._send(data[start : start + CHUNK])

    async def close(self) -> None:
        """Readers that follow this attempt end."""
        self._left = 0
        await self._send(b"")

    async def _send(self, data: bytes) -> None:
        try:
            await self._client.publish(self._subject, data)
        except NatsError as error:
            raise InfrastructureError(
                f"lines of {self._subject} cannot be sent: {str(error) or type(error).__name__}",
                "nothing to do: the whole log is stored when the attempt ends",
            ) from error


async def read_build_log(
    client: Client, build: BuildId, fence: int | None = None, *, follow: bool = False
) -> AsyncGenerator[bytes, None]:
    """Yield the log of a build as it was written, history first.

    fence: only that attempt; else all attempts in the order in which their lines came. follow: go on
    with what is written from now on, until the attempt of ``fence`` closes its log, and for ever
    without a fence. Raises InfrastructureError where the server refuses.
    """
    subject = f"blog.{build}.{'*' if fence is None else fence}.*"
    async with aclosing(pull(client, BLOG, subject=subject, follow=follow)) as chunks:
        async for chunk in chunks:
            for message in chunk:
                if message.data:
                    yield message.data
                elif fence is not None:
                    return
