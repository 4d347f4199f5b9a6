"""A real nats-server with the product's roles for tests: ``with running_nats(folder) as nats: ...``."""

import contextlib
import json
import signal
import subprocess
import sysconfig
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from wheelfleet_shared.adapters.make_credentials import make_credential, user_of
from wheelfleet_shared.core.credentials import Credential
from wheelfleet_shared.core.nats_config import NatsConfig, render
from wheelfleet_shared.core.permissions import Role, actor_of
from wheelfleet_shared.names import Actor

ACTORS: tuple[tuple[Role, str], ...] = (
    ("coordinator", "main"),
    ("coordinator", "other"),
    ("agent", "a1"),
    ("agent", "a2"),
    ("agent", "a3"),
    ("operator", "ann"),
    ("viewer", "vic"),
)


class RunningNats:
    """A server on loopback; ``kill`` and ``start`` keep its port, its store and its credentials."""

    def __init__(self, folder: Path, actors: Sequence[tuple[Role, str]]) -> None:
        self.folder = folder
        self.url = ""
        self._seeds: dict[Actor, Credential] = {
            actor: make_credential("", actor) for actor in (actor_of(role, name) for role, name in actors)
        }
        self._port = -1
        self.process = self.start()

    def credential(self, role: Role, name: str) -> Credential:
        """The credential of one of the actors that the server was started with."""
        return msgspec.structs.replace(self._seeds[actor_of(role, name)], nats_url=self.url)

    def start(self) -> subprocess.Popen[bytes]:
        """The server runs and takes connections."""
        config = self.folder / "nats.conf"
        ports = self.folder / "ports"
        ports.mkdir(parents=True, exist_ok=True)
        config.write_text(self.configuration(self._port, ports))
        binary = Path(sysconfig.get_path("scripts")) / "nats-server"
        with (self.folder / "nats.log").open("ab") as log:
            self.process = subprocess.Popen([binary, "-c", config], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self._port = self._read_port(ports / f"nats-server_{self.process.pid}.ports")
        self.url = f"{self.scheme}://127.0.0.1:{self._port}"
        return self.process

    @property
    def scheme(self) -> str:
        """Of its address."""
        return "nats"

    def configuration(self, port: int, ports: Path) -> str:
        """What the server is told."""
        users = tuple(user_of(credential) for credential in self._seeds.values())
        return render(NatsConfig("test", str(self.folder / "store"), users, port=port, ports_folder=str(ports)))

    def kill(self) -> None:
        """End the server as a crash would: SIGKILL, waited for."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """End the server in order."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)

    def _read_port(self, path: Path) -> int:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError, ValueError, IndexError):
                return int(json.loads(path.read_text())["nats"][0].rpartition(":")[2])
            time.sleep(0.005)
        self.process.kill()
        self.process.wait()
        raise AssertionError((self.folder / "nats.log").read_text())


@contextlib.contextmanager
def running_nats(folder: Path, actors: Sequence[tuple[Role, str]] = ACTORS) -> Iterator[RunningNats]:
    """A server with the actors' keys and roles; stopped at the end, whatever a test did to it."""
    server = RunningNats(folder, actors)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()
