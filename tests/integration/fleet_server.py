"""A real nats-server of a fleet for tests: TLS, actors known by token. ``with running_fleet(folder) as nats: ...``."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from nats_server import RunningNats
from wheelfleet_coordinator.app import fleet_folder as fleets
from wheelfleet_coordinator.app.fleet_hosts import Wishes, init_fleet
from wheelfleet_shared.adapters.make_credentials import write_private
from wheelfleet_shared.core.configuration import StoreConfig
from wheelfleet_shared.core.credentials import Credential
from wheelfleet_shared.core.fleet_server import ServerPlace, render_server
from wheelfleet_shared.core.permissions import Role

STORE = StoreConfig("http://127.0.0.1:1", "bucket", "ACCESS", "SECRET")
WISHES = Wishes("tls://127.0.0.1", "http://127.0.0.1:8180", STORE)


class RunningFleet(RunningNats):
    """As its base, with the configuration that init-cluster makes; who is let in is not known to it beforehand."""

    def __init__(self, folder: Path) -> None:
        self.fleet = fleets.FleetFolder(folder / "fleet")
        init_fleet(self.fleet, WISHES, time.time())
        super().__init__(folder, ())

    def credential(self, role: Role, name: str, *, days: float = 1, at: float | None = None) -> Credential:
        """A new credential, as `enroll` makes it."""
        made = fleets.enroll(self.fleet, role, name, days=days, at=time.time() if at is None else at)
        return msgspec.structs.replace(made, nats_url=self.url)

    @property
    def scheme(self) -> str:
        return "tls"

    def configuration(self, port: int, ports: Path) -> str:
        made = self.fleet.server("127.0.0.1")
        place = ServerPlace(
            "test", str(made), str(self.folder), "127.0.0.1", port, monitoring=0, ports_folder=str(ports)
        )
        return render_server(place, fleets.trust_of(self.fleet.keys(), self.fleet.fleet()))

    def point_at_itself(self) -> None:
        """The fleet's folder names the port that the server chose."""
        known = self.fleet.fleet()
        self.fleet.save(msgspec.structs.replace(known, nats_url=self.url))

    def write(self, path: Path, credential: Credential) -> Path:
        """The credential in a file."""
        write_private(path, msgspec.json.encode(credential))
        return path


@contextlib.contextmanager
def running_fleet(folder: Path) -> Iterator[RunningFleet]:
    """A server of a new fleet; stopped at the end, whatever a test did to it."""
    server = RunningFleet(folder)
    server.point_at_itself()
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()
