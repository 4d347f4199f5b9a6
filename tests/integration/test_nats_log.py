"""What only a real server can do to the log: die, refuse, be configured by others."""

import asyncio
import contextlib
from collections.abc import Iterator

import pytest
from nats.js.api import StreamConfig

from log_world import NatsWorld, a_decision, build, on_a_loop
from nats_server import running_nats
from wheelfleet_shared.adapters.build_log_stream import BuildLogWriter, read_build_log
from wheelfleet_shared.adapters.nats_streams import ensure_streams, log_config, log_incarnation
from wheelfleet_shared.core.envelope import Aggregate
from wheelfleet_shared.core.permissions import actor_of
from wheelfleet_shared.errors import InfrastructureError
from wheelfleet_shared.names import Actor, BuildId
from wheelfleet_shared.ports import Append, Conflict, EventLog


@pytest.fixture
def world(tmp_path) -> Iterator[NatsWorld]:
    with running_nats(tmp_path) as server:
        yield NatsWorld(server)


@contextlib.asynccontextmanager
async def closing(world: NatsWorld):
    try:
        yield
    finally:
        await world.close()


class Watcher:
    """Tails a log and tells how far it came."""

    def __init__(self, log: EventLog, count: int) -> None:
        self.seen: list[int] = []
        self._came = asyncio.Condition()
        self.task = asyncio.create_task(self._watch(log, count))

    async def reach(self, count: int) -> None:
        async with self._came:
            await self._came.wait_for(lambda: len(self.seen) >= count)

    async def _watch(self, log: EventLog, count: int) -> None:
        async for chunk in log.tail():
            async with self._came:
                self.seen += [event.sequence for event in chunk]
                self._came.notify_all()
            if len(self.seen) >= count:
                return


async def append_through_everything(log: EventLog, name: str, count: int) -> list[str]:
    last, ids = 0, []
    for _ in range(count):
        decision = a_decision(name, last)
        [outcome] = await log.append([decision])
        assert not isinstance(outcome, Conflict)
        last = outcome.last
        ids.append(decision.envelopes[0].id)
    return ids


@on_a_loop
async def test_neither_writers_nor_tails_miss_anything_when_the_server_is_killed(world):
    async with closing(world):
        log, other = await world.log(), await world.log("coordinator", "other")
        agent = await world.log("agent", "a1")
        watcher = Watcher(other, 1200)
        writers = [asyncio.create_task(append_through_everything((log, agent)[n % 2], f"w{n}", 300)) for n in range(4)]
        for beyond in (200, 600):
            await watcher.reach(beyond)
            world.server.kill()
            world.server.start()
        ids = [ids for writer in writers for ids in await writer]
        await watcher.task
        assert watcher.seen == list(range(1, 1201))
        stored = [event.envelope.id async for chunk in log.read() for event in chunk]
        assert sorted(stored) == sorted(ids)


@on_a_loop
async def test_batches_survive_a_killed_server_whole(world):
    async with closing(world):
        log = await world.log()

        async def groups() -> list[Append]:
            kept = []
            for n in range(15):
                batch = [a_decision(f"g{n}-{m}", events=2) for m in range(20)]
                outcomes = await log.append(batch)
                assert not any(isinstance(outcome, Conflict) for outcome in outcomes)
                kept += batch
            return kept

        writing = asyncio.create_task(groups())
        watcher = Watcher(log, 600)
        await watcher.reach(100)
        world.server.kill()
        world.server.start()
        kept = await writing
        await watcher.task
        stored = [event.envelope async for chunk in log.read() for event in chunk]
        assert stored == [envelope for append in kept for envelope in append.envelopes]
        assert watcher.seen == list(range(1, 601))


@on_a_loop
async def test_an_agent_may_neither_read_nor_append_to_what_is_not_its_own(world):
    async with closing(world):
        await world.log()
        agent, other = await world.log("agent", "a1"), await world.log("agent", "a2")
        forbidden = a_decision("x")._replace(aggregate=Aggregate("run", "x"))

        async def read() -> None:
            async for _ in (await world.log("agent", "a3")).read():
                pass

        refused = await asyncio.gather(
            read(), agent.append([forbidden]), other.append([forbidden] * 10), return_exceptions=True
        )
        assert [type(error) for error in refused] == [InfrastructureError] * 3
        assert "log.run.x.agent-a1" in str(refused[1])
        assert "log.run.x.agent-a2" in str(refused[2])


@on_a_loop
async def test_a_viewer_reads_and_cannot_append(world):
    async with closing(world):
        log = await world.log()
        await log.append([a_decision("x", events=2)])
        viewer = await world.log("viewer", "vic")
        assert [event.sequence async for chunk in viewer.read() for event in chunk] == [1, 2]
        assert [event.sequence for event in await viewer.read_aggregate(build("x"))] == [1, 2]
        assert await viewer.last_sequence() == 2
        with pytest.raises(InfrastructureError, match=r"log\.build\.x\.viewer-vic"):
            await viewer.append([a_decision("x", 2)])


@on_a_loop
async def test_the_incarnation_outlives_the_server_and_every_coordinator_sees_the_same(world):
    async with closing(world):
        first, second = await world.client(), await world.client("coordinator", "other")
        found = await asyncio.gather(ensure_streams(first), ensure_streams(second))
        assert found[0] == found[1]
        world.server.stop()
        world.server.start()
        viewer = await world.client("viewer", "vic")
        assert await log_incarnation(viewer) == found[0]


@pytest.mark.parametrize(
    ("drift", "named"),
    [
        ({"deny_delete": False}, "deny_delete is False"),
        ({"max_age": 3600.0}, "max_age is 3600.0"),
        ({"allow_msg_ttl": True}, "allow_msg_ttl is True"),
        ({"subjects": ["log.>", "other"]}, "subjects is"),
    ],
)
@on_a_loop
async def test_a_log_configured_otherwise_is_refused(world, drift, named):
    async with closing(world):
        client = await world.client()
        await client.jetstream().add_stream(StreamConfig(**{**vars(log_config()), **drift}))
        with pytest.raises(InfrastructureError, match=named):
            await ensure_streams(client)


@on_a_loop
async def test_a_build_log_is_read_from_its_start_and_followed_to_its_end(world):
    async with closing(world):
        await ensure_streams(await world.client())
        agent = await world.client("agent", "a1")
        viewer = await world.client("viewer", "vic")
        build_id, actor = BuildId("b1"), Actor(actor_of("agent", "a1"))
        writer = BuildLogWriter(agent, build_id, 7, actor)
        await writer.write(b"early\n")
        following = read_build_log(viewer, build_id, 7, follow=True)
        assert await anext(following) == b"early\n"
        await writer.write(b"x" * 70_000)
        await BuildLogWriter(agent, build_id, 8, actor).write(b"another attempt\n")
        await writer.close()
        assert b"".join([part async for part in following]) == b"x" * 70_000
        assert b"".join([part async for part in read_build_log(viewer, build_id)])[-16:] == b"another attempt\n"
        assert [part async for part in read_build_log(viewer, BuildId("none"))] == []
