"""Requests and notices over core NATS."""

import asyncio
import logging
from collections.abc import Callable

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeout

from ..errors import InfrastructureError, NoResponders, RequestTimeout
from ..ports import Handler
from .nats_publish import require_permitted

_logger = logging.getLogger(__name__)
_BETWEEN_LOOKS = 1.0
"""Seconds between two looks at whether the connection of a request that waits is still the same."""


class NatsBus:
    """Core NATS through one connection; implements ports.Bus.

    concurrency: requests of one ``serve`` that are answered at the same time; more wait. It has to be
    above the number of agents, whose asks are held back until there is something to build.
    """

    def __init__(self, client: Client, *, concurrency: int = 4096) -> None:
        self._client = client
        self._concurrency = concurrency
        self._subscriptions: list[Subscription] = []
        self._answering: set[asyncio.Task[None]] = set()

    async def request(self, subject: str, payload: bytes, *, timeout: float) -> bytes:
        """The first answer; raises NoResponders where nobody serves, RequestTimeout after ``timeout`` s.

        Raises RequestTimeout earlier where the connection was lost and is back: the answer went with it.
        Raises InfrastructureError where this actor may not ask, or the connection is closed.
        """
        try:
            answer = await self._answer_on_this_connection(subject, payload, timeout)
        except NoRespondersError:
            raise NoResponders(f"nobody serves {subject}", "start a coordinator") from None
        except NatsTimeout:
            require_permitted(self._client, (subject,))
            raise RequestTimeout(f"no answer to {subject} within {timeout:g} s", "try again") from None
        except NatsError as error:
            raise _failed(subject, error) from error
        return answer.data

    async def _answer_on_this_connection(self, subject: str, payload: bytes, timeout: float) -> Msg:
        reconnects = self._client.stats["reconnects"]
        asking = asyncio.create_task(self._client.request(subject, payload, timeout=timeout))
        try:
            while not (await asyncio.wait({asking}, timeout=_BETWEEN_LOOKS))[0]:
                if self._client.stats["reconnects"] != reconnects:
                    raise RequestTimeout(f"the connection was lost while {subject} was asked", "try again")
            return asking.result()
        finally:
            asking.cancel()

    async def serve(self, subject: str, handler: Handler, *, queue: str = "") -> None:
        """Requests that match are answered, each in a task of its own, until the bus closes.

        An exception of the handler is logged and nothing is answered, so a handler turns what the
        asker should know into an answer. The server knows of the subscription on return.
        """
        free = asyncio.Semaphore(self._concurrency)

        async def receive(message: Msg) -> None:
            await free.acquire()
            task = asyncio.create_task(_answer(handler, message))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)
            task.add_done_callback(lambda _: free.release())

        await self._subscribe(subject, receive, queue)

    async def publish(self, subject: str, payload: bytes) -> None:
        """The notice is handed to the connection; it may still be lost."""
        try:
            await self._client.publish(subject, payload)
        except NatsError as error:
            raise _failed(subject, error) from error

    async def subscribe(self, subject: str, callback: Callable[[str, bytes], None]) -> None:
        """Each notice that matches is called back, until the bus closes; a failing callback is logged."""

        async def receive(message: Msg) -> None:
            try:
                callback(message.subject, message.data)
            except Exception:
                _logger.exception("a callback for %s failed", message.subject)

        await self._subscribe(subject, receive, "")

    async def close(self) -> None:
        """Nothing is served any more and no answer is under way; the connection stays open."""
        for subscription in self._subscriptions:
            if not self._client.is_closed:
                await subscription.unsubscribe()
        self._subscriptions.clear()
        answering = list(self._answering)
        for task in answering:
            task.cancel()
        await asyncio.gather(*answering, return_exceptions=True)

    async def _subscribe(self, subject: str, receive: Callable[[Msg], object], queue: str) -> None:
        try:
            self._subscriptions.append(await self._client.subscribe(subject, queue=queue, cb=receive))  # type: ignore[arg-type]
            # The client's ping overtakes commands that it has not written yet; the second one cannot.
            await self._client.flush()
            await self._client.flush()
        except NatsError as error:
            raise _failed(subject, error) from error


async def _answer(handler: Handler, message: Msg) -> None:
    try:
        payload = await handler(message.subject, message.data)
        if message.reply:
            await message.respond(payload)
    except Exception:
        _logger.exception("answering %s failed", message.subject)


def _failed(subject: str, error: Exception) -> InfrastructureError:
    return InfrastructureError(
        f"{subject} cannot be reached: {str(error) or type(error).__name__}",
        "check the NATS server and the connection to it",
    )
