"""The election on a real server: one leads, a dead one is followed, a deposed one knows."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from nats.aio.client import Client

from nats_server import RunningNats, running_nats
from wheelfleet_coordinator.adapters.nats_leadership import BUCKET, KEY, NatsLeadership
from wheelfleet_shared.adapters.clock import SystemClock
from wheelfleet_shared.adapters.nats_connection import connect

TTL = 1.0
Story = Callable[[RunningNats, NatsLeadership, NatsLeadership, Client], Awaitable[None]]


def on_a_server(folder: Path, story: Story) -> None:
    async def main(server: RunningNats) -> None:
        clients = [await connect(server.credential("coordinator", name), name=name) for name in ("main", "other")]
        members = [
            NatsLeadership(client, server.credential("coordinator", name).actor, SystemClock(), ttl=TTL)
            for client, name in zip(clients, ("main", "other"), strict=True)
        ]
        try:
            async with asyncio.timeout(30.0):
                await story(server, members[0], members[1], clients[1])
        finally:
            for client in clients:
                await client.close()

    with running_nats(folder) as server:
        asyncio.run(main(server))


async def is_waiting(task: "asyncio.Task[None]") -> bool:
    done, _ = await asyncio.wait([task], timeout=2 * TTL)
    return not done


def test_one_leads_for_as_long_as_it_renews(tmp_path):
    async def story(_server, first, second, _client):
        await first.acquire()
        holding = asyncio.create_task(first.lost())
        waiting = asyncio.create_task(second.acquire())
        assert await is_waiting(waiting)
        assert await is_waiting(holding)
        holding.cancel()
        await waiting

    on_a_server(tmp_path, story)


def test_who_leaves_makes_room_at_once(tmp_path):
    async def story(_server, first, second, _client):
        await first.acquire()
        await first.release()
        await second.acquire()
        await first.release()
        holding = asyncio.create_task(second.lost())
        assert await is_waiting(holding)
        holding.cancel()

    on_a_server(tmp_path, story)


def test_who_was_deposed_knows_it(tmp_path):
    async def story(_server, first, _second, client):
        await first.acquire()
        await (await client.jetstream().key_value(BUCKET)).put(KEY, b"a usurper")
        await first.lost()

    on_a_server(tmp_path, story)


def test_who_cannot_renew_gives_up_before_another_may_lead_and_is_elected_again(tmp_path):
    async def story(server, first, _second, _client):
        await first.acquire()
        server.kill()
        await first.lost()
        server.process = server.start()
        await first.acquire()

    on_a_server(tmp_path, story)
