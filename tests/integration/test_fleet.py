"""Letting in and cutting off, on a real server with TLS that is never restarted for it."""

import asyncio
import contextlib
import subprocess
import sysconfig
import time
from pathlib import Path

import msgspec
import pytest
from nats.aio.client import Client

from fleet_server import WISHES, running_fleet
from wheelfleet_coordinator.adapters.servers import choose_port
from wheelfleet_coordinator.app import fleet_folder as fleets
from wheelfleet_coordinator.app.fleet_hosts import init_fleet
from wheelfleet_coordinator.app.renewing import renewal
from wheelfleet_coordinator.cli.main import run
from wheelfleet_coordinator.core.fleet import SigningKeys
from wheelfleet_shared.adapters import token_use
from wheelfleet_shared.adapters.clock import SystemClock
from wheelfleet_shared.adapters.make_credentials import load_credential
from wheelfleet_shared.adapters.nats_bus import NatsBus
from wheelfleet_shared.adapters.nats_connection import Refusals, connect
from wheelfleet_shared.adapters.nats_streams import ensure_streams
from wheelfleet_shared.adapters.patience import until_answered
from wheelfleet_shared.adapters.renewal import keep_renewed
from wheelfleet_shared.adapters.signing import new_seed, public_half, signer
from wheelfleet_shared.adapters.token_use import CurrentToken
from wheelfleet_shared.core import messages as m
from wheelfleet_shared.core.fleet_server import ServerPlace, render_server
from wheelfleet_shared.core.nats_jwt import encode_jwt, read_user
from wheelfleet_shared.errors import InfrastructureError, InputError

NATS = Path(sysconfig.get_path("scripts")) / "nats-server"


@pytest.fixture(scope="module")
def nats(tmp_path_factory):
    with running_fleet(tmp_path_factory.mktemp("fleet")) as server:
        yield server


def refused(credential, words: str) -> None:
    with pytest.raises(InfrastructureError, match=words) as caught:
        asyncio.run(connect(credential, name="test"))
    assert caught.value.next_step
    assert caught.value.exit_code == 3


def accepted(credential) -> None:
    async def come_and_go() -> None:
        client = await connect(credential, name="test")
        await client.flush()
        await client.close()

    asyncio.run(come_and_go())


def cut_off(nats, name: str, capsys) -> None:
    assert run(["revoke", name, "--fleet", str(nats.fleet.root)]) == 0
    assert "is cut off" in capsys.readouterr().out


def test_who_is_enrolled_connects_at_once(nats, capsys, tmp_path):
    assert run(["enroll", "agent", "fresh", "--fleet", str(nats.fleet.root), "--days", "2"]) == 0
    (tmp_path / "fresh.json").write_text(capsys.readouterr().out)
    (tmp_path / "fresh.json").chmod(0o600)
    credential = load_credential(tmp_path / "fresh.json")
    assert read_user(credential.jwt).expires == pytest.approx(time.time() + 2 * 86_400, abs=60)
    assert not credential.http_token
    accepted(credential)


def test_who_is_cut_off_loses_the_connection_and_nobody_else_does(nats, capsys):
    async def hold() -> None:
        over, held = asyncio.Event(), asyncio.Event()

        async def closed() -> None:
            over.set()

        async def disconnected() -> None:
            held.set()

        lost = await connect(gone, name="test", on_closed=closed)
        kept = await connect(stays, name="test", on_disconnected=disconnected)
        await asyncio.to_thread(cut_off, nats, "agent-gone", capsys)
        await asyncio.wait_for(over.wait(), 10)
        await kept.flush()
        assert lost.is_closed
        assert kept.is_connected
        assert not held.is_set()
        await kept.close()

    gone, twice, stays = (nats.credential("agent", name) for name in ("gone", "gone", "stays"))
    asyncio.run(hold())
    refused(gone, "refuses the credential of agent-gone: it was revoked")
    refused(twice, "was revoked")
    accepted(stays)
    accepted(nats.credential("agent", "gone"))


def test_a_restart_brings_nobody_back(tmp_path, capsys):
    with running_fleet(tmp_path) as nats:
        told_at_the_start = nats.fleet.fleet()
        coordinator, agent = nats.credential("coordinator", "old"), nats.credential("agent", "a1")
        cut_off(nats, "old", capsys)
        cut_off(nats, "a1", capsys)
        nats.fleet.save(told_at_the_start)
        nats.stop()
        nats.start()
        refused(coordinator, "was revoked")
        refused(agent, "was revoked")
        accepted(nats.credential("agent", "a1"))


def test_a_cut_off_that_no_server_hears_says_so_and_can_be_repeated(tmp_path, capsys):
    with running_fleet(tmp_path) as nats:
        agent = nats.credential("agent", "a1")
        nats.stop()
        assert run(["revoke", "a1", "--fleet", str(nats.fleet.root)]) == 3
        assert "no server knows yet" in capsys.readouterr().err
        nats.start()
        cut_off(nats, "a1", capsys)
        refused(agent, "was revoked")


def test_expired_foreign_and_damaged_credentials_are_named(nats, tmp_path):
    mine = nats.credential("agent", "a1")
    refused(nats.credential("agent", "old", at=time.time() - 2 * 86_400), r"agent-old expired on \d{4}-")
    init_fleet(other := fleets.FleetFolder(tmp_path / "other"), WISHES, time.time())
    foreign = msgspec.structs.replace(fleets.enroll(other, "agent", "a1", days=1, at=time.time()), nats_url=nats.url)
    refused(foreign, "is not of the cluster of this credential")
    refused(msgspec.structs.replace(foreign, ca=mine.ca), "or is of another cluster")
    refused(msgspec.structs.replace(mine, nkey_seed=new_seed("user")), "or is of another cluster")
    refused(msgspec.structs.replace(mine, nkey_seed="SUX"), "the nkey seed of agent-a1 is damaged")
    refused(msgspec.structs.replace(mine, ca="x"), "the authority in the credential of agent-a1 is damaged")
    with pytest.raises(InputError, match="token of a credential is damaged"):
        asyncio.run(connect(msgspec.structs.replace(mine, jwt="a.b.c"), name="test"))


def test_the_last_word_about_time_is_the_servers(nats, monkeypatch):
    monkeypatch.setattr(token_use, "_require_time_left", lambda *_: None)
    refused(nats.credential("agent", "old", at=time.time() - 2 * 86_400), "has expired by the server's clock")


def test_plain_text_gets_no_answer(nats):
    async def attempt() -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(nats.url.rpartition(":")[2]))
        writer.write(b"CONNECT {}\r\nPING\r\n")
        try:
            return await reader.read(100)
        except ConnectionError:
            return b""
        finally:
            writer.close()

    assert b"INFO" not in asyncio.run(attempt())


def test_a_signing_key_makes_nobody_mightier_than_its_role(nats):
    """With the agents' key alone: neither other permissions nor another role's subjects."""
    seed, user = nats.fleet.keys().signing["agent"], new_seed("user")
    genuine = nats.credential("agent", "a1")
    scope = read_user(genuine.jwt)
    body = {"type": "user", "version": 2, "issuer_account": scope.account, "pub": {"allow": [">"]}, "subs": -1}
    claims = {"iat": scope.issued_at, "iss": scope.issuer, "sub": public_half(user), "name": "a1", "nats": body}
    forged = msgspec.structs.replace(genuine, nkey_seed=user, jwt=encode_jwt(claims, signer(seed)))
    refused(forged, "refuses the credential")
    named = {**claims, "name": "x.>", "nats": {"type": "user", "version": 2, "issuer_account": scope.account}}
    odd = msgspec.structs.replace(forged, jwt=encode_jwt(named, signer(seed)))

    async def speak() -> None:
        refusals = Refusals()
        client = await connect(odd, name="test", refusals=refusals)
        subjects = ("log.build.b.agent-a1", "log.build.b.agent-x", "log.file.f.coordinator-main", "a.ask.agent-a1")
        for subject in subjects:
            await client.publish(subject, b"{}")
        await client.flush()
        await client.flush()
        assert all(refusals.publish_refused(subject) for subject in subjects)
        await client.close()

    asyncio.run(speak())


def test_a_credential_past_half_of_its_time_is_renewed_and_used(nats, tmp_path):
    async def live() -> None:
        coordinator = await connect(nats.credential("coordinator", "main"), name="test")
        keys = nats.fleet.keys()
        identity = fleets.identity_of(keys)
        signing = SigningKeys({role: identity.account_of(role) for role in fleets.ROLES}, keys.signing)
        renew = renewal(signing, SystemClock())

        async def answer(subject: str, payload: bytes) -> bytes:
            request = m.decode_agent_request(payload)
            return m.encode_message(m.Renewed(renew(subject.rpartition(".")[2], request.jwt)))

        await NatsBus(coordinator).serve("a.*.*", answer)
        back = asyncio.Event()

        async def reconnected() -> None:
            back.set()

        token = CurrentToken(old.jwt)
        agent = await connect(old, name="test", token=token, on_reconnected=reconnected)
        stops = await agent.subscribe("stop.agent-a1")

        async def ask(jwt: str) -> str:
            data = await NatsBus(agent).request("a.renew.agent-a1", m.encode_message(m.Renew(jwt)), timeout=5)
            return m.decode_agent_answer(data).jwt

        keeping = asyncio.create_task(keep_renewed(path, old, token, agent, ask, SystemClock()))
        await asyncio.wait_for(back.wait(), 10)
        keeping.cancel()
        await agent.flush()
        await coordinator.publish("stop.agent-a1", b"1")
        assert (await stops.next_msg(5)).data == b"1"
        await shut(agent, coordinator)

    old = nats.credential("agent", "a1", at=time.time() - 80_000)
    path = nats.write(tmp_path / "a1.json", old)
    asyncio.run(live())
    new = load_credential(path)
    assert read_user(new.jwt).expires > read_user(old.jwt).expires + 70_000
    assert read_user(new.jwt).subject == read_user(old.jwt).subject
    assert msgspec.structs.replace(new, jwt=old.jwt) == old
    accepted(new)


def test_nobody_gets_a_token_that_is_not_the_own_renewed(nats):
    keys = nats.fleet.keys()
    identity = fleets.identity_of(keys)
    signing = SigningKeys({role: identity.account_of(role) for role in fleets.ROLES}, keys.signing)
    renew = renewal(signing, SystemClock())
    a1, expired = nats.credential("agent", "a1"), nats.credential("agent", "a1", at=time.time() - 90_000)
    ann, self_made = nats.credential("operator", "ann"), new_seed("account")
    forged = encode_jwt({**claims_like(a1.jwt), "iss": public_half(self_made)}, signer(self_made))
    unsigned = encode_jwt(claims_like(a1.jwt), signer(self_made))
    tries = [("agent-a2", a1), ("operator-a1", a1), ("agent-ann", ann), ("agent-a1", expired)]
    for actor, jwt in [*((actor, made.jwt) for actor, made in tries), ("agent-a1", forged), ("agent-a1", unsigned)]:
        with pytest.raises(InputError, match="is not one of"):
            renew(actor, jwt)
    with pytest.raises(InputError, match="no keys here"):
        renewal(SigningKeys({}, {}), SystemClock())("agent-a1", a1.jwt)


def claims_like(jwt: str) -> dict:
    import base64

    body = jwt.split(".")[1]
    return msgspec.json.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


async def shut(*clients: Client) -> None:
    for client in clients:
        await client.close()


def test_three_servers_keep_each_event_and_all_hear_of_who_is_cut_off(tmp_path, capsys):
    hosts, (port, routes) = [f"127.0.0.{n}" for n in (1, 2, 3)], (choose_port(), choose_port())
    urls = ",".join(f"tls://{host}:{port}" for host in hosts)
    made = fleets.FleetFolder(tmp_path / "fleet")
    init_fleet(made, WISHES._replace(nats_url=urls), time.time())
    with contextlib.ExitStack() as running:
        for host in hosts:
            running.enter_context(one_of_three(made, host, port, [f"{h}:{routes}" for h in hosts], tmp_path))
        asyncio.run(use_three(made))
        agent = fleets.enroll(made, "agent", "a1", days=1, at=time.time())
        asyncio.run(await_all(agent, hosts, port))
        assert run(["revoke", "a1", "--fleet", str(made.root)]) == 0
        assert capsys.readouterr().out == "agent-a1 is cut off\n"
        for host in hosts:
            refused(msgspec.structs.replace(agent, nats_url=f"tls://{host}:{port}"), "was revoked")


@contextlib.contextmanager
def one_of_three(made, host, port, routes, folder):
    data, conf = str(folder / host), folder / f"{host}.conf"
    place = ServerPlace(
        host,
        str(made.server(host)),
        data,
        host,
        port,
        int(routes[0].rpartition(":")[2]),
        tuple(routes),
        monitoring=0,
    )
    conf.write_text(render_server(place, fleets.trust_of(made.keys(), made.fleet())))
    with (folder / f"{host}.log").open("wb") as log:
        process = subprocess.Popen([NATS, "-c", conf], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


async def use_three(made) -> None:
    credential = fleets.enroll(made, "coordinator", "c1", days=1, at=time.time())
    await until_answered(credential, 20)
    client = await connect(credential, name="test")
    async with asyncio.timeout(40):
        while True:
            try:
                await ensure_streams(client, replicas=3)
                break
            except InfrastructureError:
                await asyncio.sleep(0.2)
    info = await client.jetstream().stream_info("LOG")
    assert info.config.num_replicas == 3
    await client.close()


async def await_all(credential, hosts, port) -> None:
    for host in hosts:
        await until_answered(msgspec.structs.replace(credential, nats_url=f"tls://{host}:{port}"), 20)
