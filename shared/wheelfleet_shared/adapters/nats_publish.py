"""Messages into a stream: one try, or tries with the same ids until the server has answered."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import NamedTuple

from nats.aio.client import Client
from nats.errors import ConnectionClosedError, ConnectionDrainingError
from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeout

from ..core import codec
from ..errors import InfrastructureError
from ..ports import Append
from .nats_connection import Refusals

PATIENCE = 30.0
"""Seconds for which an append is tried; an election among three servers takes up to 9."""
_ATTEMPT = 3.0
_PAUSE = 0.1
_STALE = (10071, 10164)
_TRANSIENT = (10158, 10176)
ROLLUP_REFUSED = 10111
DUPLICATE_IN_BATCH = 10201
_LAST = re.compile(r"(\d+)\s*$")


class Stored(NamedTuple):
    """The message is durable; ``duplicate``: since an earlier try with the same id."""

    sequence: int
    duplicate: bool


class Stale(NamedTuple):
    """Not stored: the aggregate has gone on; ``last`` is its last sequence, 0 where the server does not say."""

    last: int


class Refused(NamedTuple):
    """Not stored for another reason, by the server's error code."""

    code: int
    description: str
    transient: bool


Answer = Stored | Stale | Refused


def expected(append: Append) -> dict[str, str]:
    """Headers that let a message in only while the aggregate's last sequence is the expected one."""
    return {
        "Nats-Expected-Last-Subject-Sequence": str(append.expected),
        "Nats-Expected-Last-Subject-Sequence-Subject": codec.aggregate_filter(append.aggregate),
    }


async def send(client: Client, subject: str, data: bytes, headers: Mapping[str, str]) -> Answer:
    """What the server answers to one message; raises the client's errors, after which nothing is known."""
    message = await client.request(subject, data, timeout=_ATTEMPT, headers=dict(headers))
    answer = json.loads(message.data)
    error = answer.get("error")
    if error is None:
        return Stored(int(answer["seq"]), bool(answer.get("duplicate")))
    return _failed(int(error.get("code", 500)), int(error.get("err_code", 0)), str(error.get("description", "")))


def _failed(status: int, code: int, description: str) -> Stale | Refused:
    if code in _STALE:
        found = _LAST.search(description)
        return Stale(int(found[1]) if found else 0)
    lasting = status < 500 and code not in _TRANSIENT and "too many" not in description
    return Refused(code, description, transient=not lasting and code != ROLLUP_REFUSED)


async def insist(client: Client, subjects: Iterable[str], attempt: Callable[[], Awaitable[Answer]]) -> Answer:
    """The first answer that is not transient; each attempt sends the same message ids.

    Raises InfrastructureError after 30 s without one, or at once where the server refuses a subject
    to this actor: what was sent may then be stored or not.
    """
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while True:
        try:
            answer = await _attempt_when_connected(client, attempt, deadline)
            if not (isinstance(answer, Refused) and answer.transient):
                return answer
            trouble = answer.description
        except (ConnectionClosedError, ConnectionDrainingError) as error:
            raise InfrastructureError("the connection to the NATS server is closed", "connect again") from error
        except NatsError as error:
            trouble = str(error) or type(error).__name__
        require_permitted(client, subjects)
        if asyncio.get_running_loop().time() >= deadline:
            raise InfrastructureError(
                f"the log did not acknowledge within {PATIENCE:g} s ({trouble}); the events may be stored or not",
                "check the NATS server, its disk and the connection to it; the same append may be tried again",
            )
        await asyncio.sleep(_PAUSE)


async def _attempt_when_connected(client: Client, attempt: Callable[[], Awaitable[Answer]], deadline: float) -> Answer:
    """A message sent while disconnected would go out much later, so wait instead."""
    while not client.is_connected and not client.is_closed:
        if asyncio.get_running_loop().time() >= deadline:
            raise NatsTimeout
        await asyncio.sleep(_PAUSE)
    return await attempt()


def require_permitted(client: Client, subjects: Iterable[str]) -> None:
    """Raises InfrastructureError where the server's last error says that this actor may not publish one of these.

    The server answers nothing to a message that it refuses, so this is asked when no answer came.
    """
    refusals = Refusals()
    if client.last_error is None or not refusals.note(client.last_error):
        return
    for subject in subjects:
        if refusals.publish_refused(subject):
            raise InfrastructureError(
                f"this actor may not publish to {subject}", "use the credential of the role that may, or a new one"
            )
