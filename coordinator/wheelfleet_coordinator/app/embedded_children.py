"""The coordinator and the agent of an embedded cluster, and the questions that its supervisor asks them."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence

from msgspec import DecodeError

from wheelfleet_shared.core.credentials import Credential
from wheelfleet_shared.core.messages import Idle, IdleAnswer, Ping, Pong, Query, decode_query_answer, encode_message
from wheelfleet_shared.errors import InfrastructureError, RequestTimeout

from .cluster_files import Layout, Setup
from .supervision import ChildSpec

COORDINATOR = (sys.executable, "-m", "wheelfleet_coordinator", "coordinator")
AGENT = (sys.executable, "-m", "wheelfleet_agent")
_ANSWER_WITHIN = 5.0
_STAYS_UP = 0.2


def our_children(
    layout: Layout, setup: Setup, coordinator: Sequence[str] = COORDINATOR, agent: Sequence[str] = AGENT
) -> list[ChildSpec]:
    """The coordinator, ready when it answers; then the agent, which joins by itself."""
    return [
        _child("coordinator", layout, coordinator, _answers_pings(setup.credentials["viewer-supervisor"])),
        _child("agent", layout, agent, _stays_up),
    ]


def idle_seconds(setup: Setup) -> Callable[[], Awaitable[float]]:
    """Asks the coordinator for how many seconds nothing has happened; raises WheelfleetError where it is silent."""

    async def ask() -> float:
        answer = await _query(setup.credentials["viewer-supervisor"], "idle", Idle())
        return answer.seconds if isinstance(answer, IdleAnswer) else 0.0

    return ask


def _child(name: str, layout: Layout, argv: Sequence[str], ready: Callable[[], Awaitable[bool]]) -> ChildSpec:
    return ChildSpec(name, (*argv, "--config", str(layout.data / f"{name}.json")), {}, ready)


def _answers_pings(credential: Credential) -> Callable[[], Awaitable[bool]]:
    async def ready() -> bool:
        try:
            return isinstance(await _query(credential, "ping", Ping()), Pong)
        except InfrastructureError:
            return False

    return ready


async def _stays_up() -> bool:
    await asyncio.sleep(_STAYS_UP)
    return True


async def _query(credential: Credential, what: str, query: Query) -> object:
    from nats.errors import Error as NatsError  # noqa: PLC0415 - read while the servers start, not before

    from wheelfleet_shared.adapters.nats_connection import connect  # noqa: PLC0415 - the same

    client = await connect(credential, name=f"supervisor asks {what}")
    try:
        subject = f"q.{what}.{credential.actor}"
        answer = await client.request(subject, encode_message(query), timeout=_ANSWER_WITHIN)
    except (NatsError, TimeoutError) as error:
        raise RequestTimeout(f"the coordinator did not answer q.{what} ({type(error).__name__})") from None
    finally:
        await client.close()
    try:
        return decode_query_answer(answer.data)
    except DecodeError:
        raise InfrastructureError(
            f"the coordinator's answer to q.{what} is not of this version", "restart it"
        ) from None
