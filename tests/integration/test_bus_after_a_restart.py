"""A request whose answer was lost with the server ends soon, so that it can be made again."""

import asyncio

import pytest

from log_world import NatsWorld, on_a_loop
from nats_server import running_nats
from wheelfleet_shared.errors import RequestTimeout


@on_a_loop
async def test_a_parked_request_ends_when_the_connection_was_lost(tmp_path):
    with running_nats(tmp_path) as server:
        world = NatsWorld(server)
        try:
            coordinator, agent = await world.bus("coordinator", "main"), await world.bus("agent", "a1")
            heard, never = asyncio.Event(), asyncio.Event()

            async def park(_: str, payload: bytes) -> bytes:
                heard.set()
                await never.wait()
                return payload

            await coordinator.serve("a.ask.*", park)
            parked = asyncio.create_task(agent.request("a.ask.agent-a1", b"", timeout=3600))
            await heard.wait()
            server.kill()
            server.start()
            async with asyncio.timeout(30):
                with pytest.raises(RequestTimeout, match="the connection was lost"):
                    await parked
        finally:
            await world.close()
