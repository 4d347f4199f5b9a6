"""Three servers answer a repeated append in another order of checks than one does; the log must not care."""

import asyncio
import json
import socket
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from log_world import a_decision, build, on_a_loop
from wheelfleet_shared.adapters.make_credentials import make_credential, user_of
from wheelfleet_shared.adapters.nats_connection import connect
from wheelfleet_shared.adapters.nats_log import NatsLog
from wheelfleet_shared.adapters.nats_streams import ensure_streams
from wheelfleet_shared.core.credentials import Credential
from wheelfleet_shared.core.nats_config import NatsConfig, render
from wheelfleet_shared.core.permissions import actor_of
from wheelfleet_shared.errors import InfrastructureError
from wheelfleet_shared.ports import AlreadyAppended, Appended, Conflict

pytestmark = pytest.mark.long  # it waits for elections


def free_ports(count: int) -> list[int]:
    with ExitStack() as open_sockets:
        sockets = [open_sockets.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@pytest.fixture
def three_servers(tmp_path: Path) -> Iterator[tuple[Credential, list[subprocess.Popen[bytes]]]]:
    ports = free_ports(6)
    credential = make_credential(
        ",".join(f"nats://127.0.0.1:{port}" for port in ports[:3]), actor_of("coordinator", "main")
    )
    routes = [f"nats://127.0.0.1:{port}" for port in ports[3:]]
    servers = []
    for n in range(3):
        config = json.loads(
            render(NatsConfig(f"n{n}", str(tmp_path / f"store{n}"), (user_of(credential),), port=ports[n]))
        )
        config["cluster"] = {"name": "c", "listen": f"127.0.0.1:{ports[3 + n]}", "routes": routes}
        path = tmp_path / f"n{n}.conf"
        path.write_text(json.dumps(config))
        binary = Path(sysconfig.get_path("scripts")) / "nats-server"
        servers.append(subprocess.Popen([binary, "-c", path], stderr=subprocess.DEVNULL))
    yield credential, servers
    for server in servers:
        server.kill()
        server.wait()


async def eventually_connected(credential: Credential):
    for _ in range(100):
        with suppress(InfrastructureError):
            client = await connect(credential, name="test")
            try:
                return client, await ensure_streams(client, replicas=3)
            except InfrastructureError:
                await client.close()
        await asyncio.sleep(0.2)
    raise AssertionError("no cluster")


@on_a_loop
async def test_three_replicas_give_the_same_outcomes_and_survive_the_loss_of_one(three_servers):
    credential, servers = three_servers
    client, incarnation = await eventually_connected(credential)
    log = NatsLog(client, credential.actor, incarnation)
    alone, whole = a_decision("alone"), a_decision("whole", events=3)
    assert await log.append([alone]) + await log.append([whole]) == [Appended(1), Appended(4)]
    assert await log.append([alone]) + await log.append([whole]) == [AlreadyAppended(1), AlreadyAppended(4)]
    assert await log.append([a_decision("alone"), a_decision("fresh", events=2), whole]) == [
        Conflict(1),
        Appended(6),
        AlreadyAppended(4),
    ]
    assert await log.append([a_decision("alone")]) == [Conflict(1)]
    servers[0].kill()
    last, ids = 0, []
    for n in range(20):
        decision = a_decision("on", last, events=1 + n % 2)
        [outcome] = await log.append([decision])
        assert not isinstance(outcome, Conflict)
        last = outcome.last
        ids += [envelope.id for envelope in decision.envelopes]
    assert [event.envelope.id for event in await log.read_aggregate(build("on"))] == ids
    assert len([event async for chunk in log.read() for event in chunk]) == 6 + len(ids)
    await client.close()
