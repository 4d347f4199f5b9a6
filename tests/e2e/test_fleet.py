"""A fleet as its administrator makes it: the commands, the files that they write, and the daemons that read them."""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from s3_server import juicefs_gateway
from wheelfleet_coordinator.adapters.servers import choose_port
from wheelfleet_coordinator.cli.main import run
from wheelfleet_shared.adapters.make_credentials import write_private
from wheelfleet_shared.core.configuration import AgentConfig, encode_config

BIN = Path(sys.executable).parent
WITHIN = 60.0


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with juicefs_gateway(tmp_path_factory.mktemp("store")) as settings:
        yield settings


@contextlib.contextmanager
def daemon(log: Path, *command: str | Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def told(capsys, *arguments: str) -> str:
    status = run(list(arguments))
    output = capsys.readouterr()
    assert status == 0, output.err
    return output.out


def wait_for(found, log: Path) -> None:
    end = time.monotonic() + WITHIN
    while not found():
        assert time.monotonic() < end, log.read_text()[-3000:]
        time.sleep(0.2)


def test_a_fleet_from_its_keys_to_an_agent_that_is_cut_off(store, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", store.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", store.secret_key)
    fleet, http_port = tmp_path / "etc", choose_port()
    made = ("init-cluster", str(fleet), "--nats-url", f"tls://127.0.0.1:{choose_port()}")
    made += ("--http-url", f"http://127.0.0.1:{http_port}", "--s3-endpoint", store.endpoint_url)
    made += ("--s3-bucket", store.bucket, "--configuration", str(fleet), "--data", str(tmp_path / "data"))
    assert "authority" in told(capsys, *made)
    monkeypatch.setenv("WHEELFLEET_FLEET", str(fleet))
    for actor in ("agent b1", "operator ann", "viewer vic"):
        write_private(tmp_path / f"{actor}.json", told(capsys, "enroll", *actor.split()).encode())
    # One host, so the folder of its server is that of every server.
    (fleet / "nats" / "127.0.0.1").rename(tmp_path / "nats")
    (fleet / "nats").rmdir()
    (tmp_path / "nats").rename(fleet / "nats")
    configuration = fleet / "nats" / "nats.conf"
    content = json.loads(configuration.read_bytes())
    del content["http"]
    configuration.write_text(json.dumps(content))
    agent = AgentConfig(str(tmp_path / "agent b1.json"), str(tmp_path / "agent"), 1, (sys.executable,), sandbox="none")
    write_private(tmp_path / "agent.json", encode_config(agent))
    coordinator = ("coordinator", "--config", fleet / "coordinator" / "coordinator.json")
    logs = {name: tmp_path / f"{name}.log" for name in ("nats", "coordinator", "agent")}
    with (
        daemon(logs["nats"], BIN / "nats-server", "-c", configuration),
        daemon(logs["coordinator"], BIN / "wheelfleet", *coordinator),
        httpx.Client(base_url=f"http://127.0.0.1:{http_port}", trust_env=False) as http,
    ):
        wait_for(lambda: is_healthy(http), logs["coordinator"])
        with daemon(logs["agent"], BIN / "wheelfleet-agent", "--config", tmp_path / "agent.json") as process:
            wait_for(lambda: statuses(capsys, tmp_path / "viewer vic.json") == {"agent-b1": "alive"}, logs["agent"])
            metrics(http, tmp_path)
            told(capsys, "revoke", "agent-b1")
            assert process.wait(WITHIN) == 3
        assert "over for good: the NATS server at tls://127.0.0.1" in (said := logs["agent"].read_text())
        assert "it was revoked" in said
        told(capsys, "revoke", "vic")
        assert run(["--config", str(tmp_path / "viewer vic.json"), "agents"]) == 3
        assert "refuses the credential of viewer-vic" in capsys.readouterr().err


def is_healthy(http: httpx.Client) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return http.get("/healthz").status_code == 200
    return False


def statuses(capsys, credential: Path) -> dict[str, str]:
    listed = json.loads(told(capsys, "--config", str(credential), "--format", "json", "agents"))
    return {row["agent"]: row["status"] for row in listed["agents"]}


def metrics(http: httpx.Client, folder: Path) -> None:
    """The operator reads them, a viewer does not."""
    ann, vic = (json.loads((folder / name).read_bytes()) for name in ("operator ann.json", "viewer vic.json"))
    assert http.get("/metrics", auth=("x", vic["http_token"])).status_code == 401
    assert http.get("/main/cpu/simple/").status_code == 401
    assert http.get("/main/cpu/simple/", auth=("x", vic["http_token"])).status_code in {200, 404}
    text = http.get("/metrics", auth=("x", ann["http_token"])).text
    assert 'wheelfleet_agents{status="alive"} 1.0' in text
    assert 'wheelfleet_up{server="store"} 1.0' in text
    assert 'wheelfleet_latency_seconds{server="nats"}' in text
