"""What every bus holds, in memory and on a real server."""

import asyncio
import contextlib
from collections.abc import Iterator

import pytest

from log_world import MemoryWorld, NatsWorld, World, on_a_loop
from nats_server import running_nats
from wheelfleet_shared.errors import InfrastructureError, NoResponders, RequestTimeout

ASK = "a.ask.agent-a1"


@pytest.fixture(params=["memory", "nats"])
def world(request, tmp_path) -> Iterator[World]:
    if request.param == "memory":
        yield MemoryWorld()
        return
    with running_nats(tmp_path) as server:
        yield NatsWorld(server)


@contextlib.asynccontextmanager
async def buses(world: World):
    try:
        yield await world.bus("coordinator", "main"), await world.bus("agent", "a1")
    finally:
        await world.close()


async def echo(subject: str, payload: bytes) -> bytes:
    return subject.encode() + b" " + payload


@on_a_loop
async def test_a_request_is_answered_by_who_serves_its_subject(world):
    async with buses(world) as (coordinator, agent):
        await coordinator.serve("a.*.*", echo)
        assert await agent.request(ASK, b"hello", timeout=5) == b"a.ask.agent-a1 hello"


@on_a_loop
async def test_where_nobody_serves_the_asker_learns_it_at_once(world):
    async with buses(world) as (_, agent):
        with pytest.raises(NoResponders, match=r"nobody serves a\.ask\.agent-a1"):
            await agent.request(ASK, b"", timeout=50)


@on_a_loop
async def test_a_coordinator_that_closed_serves_no_more(world):
    async with buses(world) as (coordinator, agent):
        await coordinator.serve("a.*.*", echo)
        await agent.request(ASK, b"", timeout=5)
        await coordinator.close()
        with pytest.raises((NoResponders, RequestTimeout)):
            await agent.request(ASK, b"", timeout=0.2)


@on_a_loop
async def test_an_answer_that_does_not_come_is_a_timeout_and_the_next_request_is_served(world):
    async with buses(world) as (coordinator, agent):

        async def broken(subject: str, payload: bytes) -> bytes:
            if payload == b"break":
                raise ValueError(payload)
            return await echo(subject, payload)

        await coordinator.serve("a.ask.*", broken)
        with pytest.raises(RequestTimeout):
            await agent.request(ASK, b"break", timeout=0.1)
        assert await agent.request(ASK, b"fine", timeout=5) == b"a.ask.agent-a1 fine"


@on_a_loop
async def test_a_parked_request_holds_up_no_other(world):
    async with buses(world) as (coordinator, agent):
        released = asyncio.Event()

        async def park(_: str, payload: bytes) -> bytes:
            if payload == b"wait":
                await released.wait()
            else:
                released.set()
            return payload

        await coordinator.serve("a.ask.*", park)
        parked = [asyncio.create_task(agent.request(ASK, b"wait", timeout=20)) for _ in range(200)]
        await asyncio.sleep(0)
        assert await agent.request(ASK, b"go", timeout=5) == b"go"
        assert await asyncio.gather(*parked) == [b"wait"] * 200


@on_a_loop
async def test_of_a_queue_group_one_answers_each_request(world):
    async with buses(world) as (coordinator, agent):
        other = await world.bus("coordinator", "other")
        asked: list[str] = []

        def serve_as(name: str):
            async def note(_: str, payload: bytes) -> bytes:
                asked.append(name)
                return payload

            return note

        await coordinator.serve("a.start.*", serve_as("main"), queue="coordinators")
        await other.serve("a.start.*", serve_as("other"), queue="coordinators")
        await asyncio.gather(*(agent.request("a.start.agent-a1", b"", timeout=5) for _ in range(60)))
        assert len(asked) == 60
        assert set(asked) == {"main", "other"}


@on_a_loop
async def test_without_a_queue_everyone_hears_and_the_first_answer_counts(world):
    async with buses(world) as (coordinator, agent):
        other = await world.bus("coordinator", "other")
        heard = asyncio.Event()
        never = asyncio.Event()

        async def silent(_: str, payload: bytes) -> bytes:
            heard.set()
            await never.wait()
            return payload

        await other.serve("a.beat.*", silent)
        await coordinator.serve("a.beat.*", echo)
        assert await agent.request("a.beat.agent-a1", b"x", timeout=5) == b"a.beat.agent-a1 x"
        await heard.wait()


@on_a_loop
async def test_notices_reach_who_listens_and_a_failing_callback_hurts_nobody(world):
    async with buses(world) as (coordinator, agent):
        got: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()

        def fail(subject: str, payload: bytes) -> None:
            raise ValueError(subject, payload)

        await agent.subscribe("stop.agent-a1", fail)
        await agent.subscribe("stop.agent-a1", lambda subject, payload: got.put_nowait((subject, payload)))
        await coordinator.publish("stop.agent-a2", b"not for me")
        await coordinator.publish("stop.agent-a1", b"7")
        await coordinator.publish("stop.agent-a1", b"8")
        assert await got.get() == ("stop.agent-a1", b"7")
        assert await got.get() == ("stop.agent-a1", b"8")


@on_a_loop
async def test_who_may_not_ask_is_told_so(tmp_path):
    with running_nats(tmp_path) as server:
        world = NatsWorld(server)
        async with buses(world) as (_, agent):
            with pytest.raises(InfrastructureError, match=r"may not publish to q\.ping\.agent-a1"):
                await agent.request("q.ping.agent-a1", b"", timeout=0.5)
