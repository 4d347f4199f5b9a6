"""A log and a bus, in memory or on a real server, seen alike by the contract tests."""

import asyncio
import functools
import itertools
from collections.abc import Callable, Coroutine
from typing import Any

from nats.aio.client import Client

from nats_server import RunningNats
from wheelfleet_shared.adapters.memory_bus import MemoryBus, MemoryHub
from wheelfleet_shared.adapters.memory_log import MemoryLog, MemoryStream
from wheelfleet_shared.adapters.nats_bus import NatsBus
from wheelfleet_shared.adapters.nats_connection import connect
from wheelfleet_shared.adapters.nats_log import NatsLog
from wheelfleet_shared.adapters.nats_streams import ensure_streams
from wheelfleet_shared.core.envelope import Aggregate, Envelope
from wheelfleet_shared.core.events import BuildWanted, Event
from wheelfleet_shared.core.permissions import Role, actor_of
from wheelfleet_shared.names import RunId
from wheelfleet_shared.ports import Append, Bus, EventLog

_numbers = itertools.count(1)
LIMIT = 60.0


def on_a_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @functools.wraps(test)
    def run(**fixtures: Any) -> None:
        async def bounded() -> None:
            async with asyncio.timeout(LIMIT):
                await test(**fixtures)

        asyncio.run(bounded())

    return run


def build(name: str) -> Aggregate:
    return Aggregate("build", name)


def an_envelope(event: Event | None = None, *, run: str = "r") -> Envelope:
    return Envelope(id=f"id-{next(_numbers)}", at=1.0, event=event or BuildWanted(RunId(run)))


def a_decision(name: str, expected: int = 0, *, events: int = 1) -> Append:
    return Append(build(name), expected, tuple(an_envelope() for _ in range(events)))


class MemoryWorld:
    def __init__(self) -> None:
        self._stream = MemoryStream()
        self._hub = MemoryHub()
        self._buses: list[MemoryBus] = []

    async def log(self, role: Role = "coordinator", name: str = "main") -> EventLog:
        return MemoryLog(self._stream, actor_of(role, name))

    async def bus(self, role: Role, name: str) -> Bus:
        bus = MemoryBus(self._hub, actor_of(role, name))
        self._buses.append(bus)
        return bus

    async def put(self, subject: str, data: bytes) -> int:
        return self._stream.put(subject, data)

    async def close(self) -> None:
        for bus in self._buses:
            await bus.close()


class NatsWorld:
    def __init__(self, server: RunningNats) -> None:
        self.server = server
        self._clients: list[Client] = []
        self._buses: list[NatsBus] = []

    async def client(self, role: Role = "coordinator", name: str = "main") -> Client:
        client = await connect(self.server.credential(role, name), name=name)
        self._clients.append(client)
        return client

    async def log(self, role: Role = "coordinator", name: str = "main") -> EventLog:
        client = await self.client(role, name)
        incarnation = await ensure_streams(client) if role == "coordinator" else ""
        return NatsLog(client, actor_of(role, name), incarnation)

    async def bus(self, role: Role, name: str) -> Bus:
        bus = NatsBus(await self.client(role, name))
        self._buses.append(bus)
        return bus

    async def put(self, subject: str, data: bytes) -> int:
        client = await self.client()
        return (await client.jetstream().publish(subject, data, headers={"Status": "408"})).seq

    async def close(self) -> None:
        for bus in self._buses:
            await bus.close()
        for client in self._clients:
            await client.close()


World = MemoryWorld | NatsWorld
