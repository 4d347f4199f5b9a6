"""Each role tried, on a real server, against what it must not reach."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from nats.aio.client import Client
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeout

from fleet_server import running_fleet
from nats_server import RunningNats, running_nats
from wheelfleet_shared.adapters.make_credentials import make_seed
from wheelfleet_shared.adapters.nats_connection import Refusals, connect
from wheelfleet_shared.adapters.nats_streams import ensure_streams
from wheelfleet_shared.core.permissions import Role
from wheelfleet_shared.errors import InfrastructureError


@pytest.fixture(scope="module", params=[running_nats, running_fleet], ids=["keys", "tokens"])
def serve(request):
    return request.param


@pytest.fixture(scope="module")
def nats(tmp_path_factory, serve):
    with serve(tmp_path_factory.mktemp("nats")) as server:
        asyncio.run(prepare(server))
        yield server


async def prepare(server: RunningNats) -> None:
    async with actor(server, "coordinator", "main") as (client, _):
        await ensure_streams(client)


@asynccontextmanager
async def actor(nats: RunningNats, role: Role, name: str) -> AsyncIterator[tuple[Client, Refusals]]:
    refusals = Refusals()
    client = await connect(nats.credential(role, name), name="test", refusals=refusals)
    try:
        yield client, refusals
    finally:
        await client.close()


async def settle(client: Client) -> None:
    """The server has seen all that the client said; a client's ping may overtake what it has not written yet."""
    await client.flush()
    await client.flush()


async def messages(client: Client, stream: str = "LOG") -> int:
    return (await client.jetstream().stream_info(stream)).state.messages


OWN = {"coordinator": "coordinator-main", "agent": "agent-a1", "operator": "operator-ann", "viewer": "viewer-vic"}
READING = [
    "$JS.API.DIRECT.GET.LOG",
    "$JS.API.CONSUMER.CREATE.LOG.c",
    "$JS.API.CONSUMER.MSG.NEXT.LOG.c",
    "$JS.API.STREAM.INFO.LOG",
    "$JS.API.STREAM.MSG.GET.LOG",
]
CHANGING = [f"$JS.API.STREAM.{verb}.LOG" for verb in ("DELETE", "PURGE", "UPDATE", "MSG.DELETE", "RESTORE")]
STREAMS = ["$JS.API.STREAM.CREATE.MINE", "$JS.API.STREAM.DELETE.BLOG", "$JS.API.CONSUMER.DELETE.LOG.c", "$KV.leader.k"]
REFUSED_PUBLISH = {
    "coordinator": ["log.file.f.coordinator-other", "log.build.b.agent-a1", "q.runs.viewer-vic", *CHANGING],
    "agent": [
        "log.build.b.agent-a2",
        "log.build.b.coordinator-main",
        "log.file.f.agent-a1",
        "log.run.r.agent-a1",
        "blog.b.1.agent-a2",
        "a.heartbeat.agent-a2",
        "q.runs.agent-a1",
        "stop.agent-a2",
        "_INBOX_agent-a2.x",
        *READING,
        *CHANGING,
        *STREAMS,
    ],
    "operator": [
        "log.run.r.operator-bob",
        "log.target.t.operator-ann",
        "log.graph.g.operator-ann",
        "blog.b.1.operator-ann",
        "a.ask.operator-ann",
        "stop.agent-a1",
        "_INBOX_coordinator-main.x",
        *CHANGING,
        *STREAMS,
    ],
    "viewer": [
        "log.run.r.viewer-vic",
        "blog.b.1.viewer-vic",
        "a.ask.viewer-vic",
        "q.runs.operator-ann",
        "stop.agent-a1",
        *CHANGING,
        *STREAMS,
    ],
}
REFUSED_SUBSCRIBE = {
    "coordinator": ["_INBOX_agent-a1.>", ">"],
    "agent": ["_INBOX_agent-a2.>", "stop.agent-a2", "stop.*", "log.>", "blog.>", "a.*.*", "q.*.*", ">"],
    "operator": ["_INBOX_agent-a1.>", "stop.*", "log.>", "a.*.*", "q.*.*", ">"],
    "viewer": ["_INBOX_operator-ann.>", "log.>", "a.*.*", "q.*.*", ">"],
}


@pytest.mark.parametrize("role", list(OWN))
def test_what_a_role_must_not_do_is_refused(nats, role):
    async def attempt() -> None:
        async with actor(nats, role, OWN[role].partition("-")[2]) as (client, refusals):
            for subject in REFUSED_PUBLISH[role]:
                await client.publish(subject, b"{}")
            for subject in REFUSED_SUBSCRIBE[role]:
                await client.subscribe(subject)
            await settle(client)
            assert [s for s in REFUSED_PUBLISH[role] if not refusals.publish_refused(s)] == []
            assert [s for s in REFUSED_SUBSCRIBE[role] if not refusals.subscription_refused(s)] == []
        async with actor(nats, "coordinator", "other") as (client, _):
            assert await messages(client) == 0
            assert await messages(client, "BLOG") == 0

    asyncio.run(attempt())


def test_what_each_role_is_for_works(tmp_path, serve):
    async def work(nats: RunningNats) -> None:
        await prepare(nats)
        async with (
            actor(nats, "coordinator", "main") as (coordinator, _),
            actor(nats, "agent", "a1") as (agent, agent_refusals),
            actor(nats, "operator", "ann") as (operator, operator_refusals),
            actor(nats, "viewer", "vic") as (viewer, viewer_refusals),
        ):
            await coordinator.subscribe("a.*.*", cb=answer)
            await coordinator.subscribe("q.*.*", cb=answer)
            stops = await agent.subscribe("stop.agent-a1")
            await asyncio.gather(settle(coordinator), settle(agent))
            assert (await agent.request("a.ask.agent-a1", timeout=5)).data == b"a.ask.agent-a1"
            for client, name in ((operator, "operator-ann"), (viewer, "viewer-vic")):
                assert (await client.request(f"q.runs.{name}", timeout=5)).data == f"q.runs.{name}".encode()
            await coordinator.publish("stop.agent-a1", b"1")
            assert (await stops.next_msg(5)).data == b"1"
            for client, subject in (
                *((agent, f"log.{kind}.x.agent-a1") for kind in ("build", "agent", "target")),
                *((operator, f"log.{kind}.x.operator-ann") for kind in ("run", "agent", "file", "build")),
                (coordinator, "log.graph.x.coordinator-main"),
                (agent, "blog.b.1.agent-a1"),
            ):
                await client.jetstream().publish(subject, b"{}")
            assert await messages(coordinator) == 8
            for client in (operator, viewer, coordinator):
                stored = await client.jetstream().get_msg("LOG", 1, direct=True)
                assert stored.subject == "log.build.x.agent-a1"
            assert agent_refusals.all() + operator_refusals.all() + viewer_refusals.all() == []

    with serve(tmp_path) as server:
        asyncio.run(work(server))


async def answer(message) -> None:
    await message.respond(message.subject.encode())


def test_an_answer_cannot_be_sent_into_the_log(tmp_path, serve):
    """A reply subject is the asker's choice; for none of the roles does one lead into the log."""

    async def forge(nats: RunningNats) -> None:
        await prepare(nats)
        target = "log.file.f.coordinator-main"
        async with (
            actor(nats, "coordinator", "main") as (coordinator, _),
            actor(nats, "agent", "a1") as (agent, _),
            actor(nats, "operator", "ann") as (operator, _),
            actor(nats, "viewer", "vic") as (viewer, _),
        ):
            await coordinator.subscribe("a.*.*", cb=answer)
            await coordinator.subscribe("q.*.*", cb=answer)
            await coordinator.subscribe("log.>")
            await settle(coordinator)
            await operator.jetstream().publish("log.run.r.operator-ann", b"forged")
            await agent.jetstream().publish("blog.b.1.agent-a1", b"forged")
            for stream in ("LOG", "BLOG"):
                pull, push = {"name": "pull", "ack_policy": "none"}, {"name": "push", "ack_policy": "none"}
                for config in (pull, {**push, "deliver_subject": target}):
                    body = json.dumps({"stream_name": stream, "config": config}).encode()
                    await viewer.request(f"$JS.API.CONSUMER.CREATE.{stream}.{config['name']}", body, timeout=5)
                for subject, body in (
                    (f"$JS.API.DIRECT.GET.{stream}", b'{"seq":1}'),
                    (f"$JS.API.CONSUMER.MSG.NEXT.{stream}.pull", b"1"),
                    (f"$JS.API.STREAM.INFO.{stream}", b""),
                ):
                    await viewer.publish(subject, body, reply=target)
                    await operator.publish(subject, body, reply=target)
            await agent.publish("a.ask.agent-a1", b"", reply=target)
            await agent.publish("log.build.b.agent-a1", b"{}", reply=target)
            await viewer.publish("q.runs.viewer-vic", b"", reply=target)
            for client in (viewer, operator, agent):
                await settle(client)
            # An answer to each of them, after all that came before, is the sign that nothing is on its way.
            await asyncio.gather(
                viewer.request("q.runs.viewer-vic", timeout=5), agent.request("a.ask.agent-a1", timeout=5)
            )
            info = await coordinator.jetstream().stream_info("LOG", subjects_filter=">")
            assert set(info.state.subjects) == {"log.run.r.operator-ann", "log.build.b.agent-a1"}

    with serve(tmp_path) as server:
        asyncio.run(forge(server))


def test_without_a_coordinator_an_agent_hears_so_at_once(nats):
    async def ask() -> None:
        async with actor(nats, "agent", "a1") as (client, _):
            with pytest.raises(NoRespondersError):
                await client.request("a.ask.agent-a1", timeout=30)

    asyncio.run(ask())


def test_a_refused_append_times_out_and_can_be_asked_for(nats):
    async def append() -> None:
        async with actor(nats, "agent", "a1") as (client, refusals):
            with pytest.raises(NatsTimeout):
                await client.jetstream().publish("log.build.B.agent-a2", b"{}", timeout=0.3)
            assert refusals.publish_refused("log.build.B.agent-a2")
            assert not refusals.publish_refused("log.build.B.agent-a1")

    asyncio.run(append())


def test_strangers_and_dead_servers_are_named_at_once(nats):
    credential = nats.credential("agent", "a1")
    for changed, text in (
        ({"nkey_seed": make_seed()}, "(does not know the key|refuses the credential) of agent-a1"),
        ({"nkey_seed": "SUX"}, "the nkey seed of agent-a1 is damaged"),
        ({"nats_url": "nats://127.0.0.1:1"}, "no NATS server answers at nats://127.0.0.1:1"),
    ):
        with pytest.raises(InfrastructureError, match=text) as caught:
            asyncio.run(connect(msgspec.structs.replace(credential, **changed), name="test"))
        assert caught.value.next_step


def test_a_connection_survives_a_crash_of_the_server(tmp_path, serve):
    async def crash(nats: RunningNats) -> None:
        lost, back = asyncio.Event(), asyncio.Event()

        async def on_lost() -> None:
            lost.set()

        async def on_back() -> None:
            back.set()

        client = await connect(
            nats.credential("coordinator", "main"), name="test", on_disconnected=on_lost, on_reconnected=on_back
        )
        try:
            await client.subscribe("a.*.*", cb=answer)
            await settle(client)
            nats.kill()
            await asyncio.wait_for(lost.wait(), 10)
            nats.start()
            await asyncio.wait_for(back.wait(), 10)
            async with actor(nats, "agent", "a1") as (agent, _):
                assert (await agent.request("a.ask.agent-a1", timeout=5)).data == b"a.ask.agent-a1"
        finally:
            await client.close()

    with serve(tmp_path) as server:
        asyncio.run(crash(server))


@pytest.mark.parametrize(("version", "refused"), [("2.11.9", True), ("2.12.0", False)])
def test_an_old_server_is_refused_by_its_version(version, refused):
    async def old_server() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            info = {"server_id": "x", "version": version, "max_payload": 1024, "headers": True, "nonce": "n"}
            writer.write(b"INFO " + json.dumps(info).encode() + b"\r\n")
            while line := await reader.readline():
                if line.startswith(b"PING"):
                    writer.write(b"PONG\r\n")
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        credential = credential_of(port)
        async with server:
            if refused:
                with pytest.raises(InfrastructureError, match=r"has version 2\.11\.9; 2\.12 is needed"):
                    await connect(credential, name="test")
            else:
                await (await connect(credential, name="test")).close()

    asyncio.run(old_server())


def credential_of(port: int):
    from wheelfleet_shared.adapters.make_credentials import make_credential
    from wheelfleet_shared.core.permissions import actor_of

    return make_credential(f"nats://127.0.0.1:{port}", actor_of("agent", "a1"))
