"""Leadership by a key of a NATS bucket that the server forgets unless it is renewed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import KeyValueConfig, StorageType
from nats.js.errors import BadRequestError, KeyWrongLastSequenceError, NotFoundError
from nats.js.kv import KeyValue

from wheelfleet_shared.names import Actor
from wheelfleet_shared.ports import Clock

logger = logging.getLogger(__name__)

BUCKET: Final = "leader"
KEY: Final = "coordinator"
TTL: Final = 10.0
"""Seconds after which the server forgets a leader that renews no more. A bucket keeps what it was made with."""
_RENEWALS: Final = 4
"""Renewals within one TTL: some may be lost."""

T = TypeVar("T")


class NatsLeadership:
    """One coordinator's part in the election of a cluster; ``ttl`` in seconds."""

    def __init__(self, client: Client, actor: Actor, clock: Clock, *, ttl: float = TTL) -> None:
        self._client = client
        self._value = actor.encode()
        self._clock = clock
        self._ttl = ttl
        self._bucket: KeyValue | None = None
        self._revision = 0
        self._renewed = 0.0

    async def acquire(self) -> None:
        """Returns once the key is ours; asks again and again while it is another's or NATS is away."""
        while True:
            if await self._try(self._create):
                return
            await asyncio.sleep(self._ttl / _RENEWALS)

    async def lost(self) -> None:
        """Renews until the key is another's, or until nothing was renewed for so long that it may be."""
        while self._clock.monotonic() - self._renewed < self._ttl * (_RENEWALS - 1) / _RENEWALS:
            await asyncio.sleep(self._ttl / _RENEWALS)
            if await self._try(self._renew) is False:
                return

    async def release(self) -> None:
        """The key is gone, if it was ours and NATS can be reached."""
        revision, self._revision = self._revision, 0
        if revision:
            await self._try(lambda: self._delete(revision))

    async def _try(self, step: Callable[[], Awaitable[T]]) -> T | None:
        """The step's outcome; None where NATS could not be reached in time."""
        try:
            async with asyncio.timeout(self._ttl / _RENEWALS):
                return await step()
        except (NatsError, OSError, TimeoutError) as error:
            logger.warning("the election cannot be reached: %s", error or type(error).__name__)
            return None

    async def _create(self) -> bool:
        # Counted from before the request: the server's clock for the key starts later than ours.
        asked = self._clock.monotonic()
        bucket = await self._open()
        try:
            self._revision = await bucket.create(KEY, self._value)
        except KeyWrongLastSequenceError:
            return False
        self._renewed = asked
        return True

    async def _renew(self) -> bool:
        asked = self._clock.monotonic()
        bucket = await self._open()
        try:
            self._revision = await bucket.update(KEY, self._value, last=self._revision)
        except KeyWrongLastSequenceError:
            self._revision = 0
            return False
        self._renewed = asked
        return True

    async def _delete(self, revision: int) -> None:
        await (await self._open()).delete(KEY, last=revision)

    async def _open(self) -> KeyValue:
        """The bucket, made where it is missing; kept over restarts of the server only if that keeps its files."""
        if self._bucket is None:
            context = self._client.jetstream()
            try:
                self._bucket = await context.key_value(BUCKET)
            except NotFoundError:
                self._bucket = await self._make()
        return self._bucket

    async def _make(self) -> KeyValue:
        context = self._client.jetstream()
        config = KeyValueConfig(bucket=BUCKET, ttl=self._ttl, storage=StorageType.FILE)
        try:
            return await context.create_key_value(config)
        except BadRequestError:
            return await context.key_value(BUCKET)
