"""The data folder of an embedded cluster: what lies where, and its keys, ports and configuration files."""

import fcntl
import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from wheelfleet_shared.adapters.make_credentials import (
    load_credential,
    make_credential,
    read_private,
    save_credential,
    user_of,
    write_private,
)
from wheelfleet_shared.core.configuration import (
    AgentConfig,
    CoordinatorConfig,
    HttpConfig,
    StoreConfig,
    encode_config,
)
from wheelfleet_shared.core.credentials import Credential
from wheelfleet_shared.core.nats_config import NatsConfig
from wheelfleet_shared.core.permissions import Role, actor_of
from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import digest

from ..adapters.processes import ProcessMark
from ..adapters.servers import choose_port

_ACTORS: tuple[tuple[Role, str], ...] = (
    ("coordinator", "local"),
    ("agent", "local"),
    ("operator", "local"),
    ("viewer", "local"),
    ("viewer", "supervisor"),
)
_PATIENCE = 30.0
"""Seconds for which coordinator and agent wait for the servers, beside which they are started."""


class PartMark(msgspec.Struct, frozen=True):
    """A process of the cluster."""

    name: str
    mark: ProcessMark


class Cluster(msgspec.Struct, frozen=True):
    """A cluster that is ready. ``credential``: path of the operator's credential file. No secrets."""

    data: str
    nats_url: str
    http_url: str
    store_url: str
    credential: str
    supervisor: ProcessMark
    parts: tuple[PartMark, ...]


class Ports(msgspec.Struct, frozen=True):
    """The ports on loopback; kept from start to start as long as they are free, so that URLs last."""

    nats: int = 0
    store: int = 0
    http: int = 0


class AgentWishes(msgspec.Struct, frozen=True):
    """What a user asks of the agent of an embedded cluster; None leaves it to the cluster.

    slots: builds at a time; None: one a core. sandbox: as in AgentConfig. interpreters: paths of
    Pythons; None: the one that runs this.
    """

    slots: int | None = None
    sandbox: str | None = None
    interpreters: tuple[str, ...] | None = None

    def conflict(self, agent: AgentConfig) -> str:
        """In which wishes a running agent differs, in words; empty when it serves."""
        wished = {"slots": self.slots, "sandbox": self.sandbox, "interpreters": self.interpreters}
        running = {"slots": agent.slots, "sandbox": agent.sandbox, "interpreters": agent.interpreters}
        differing = [name for name, value in wished.items() if value is not None and value != running[name]]
        return ", ".join(f"{name} {running[name]} instead of {wished[name]}" for name in differing)


class Setup(NamedTuple):
    """All that the parts of the cluster are told."""

    nats: NatsConfig
    store: StoreConfig
    ports: Ports
    credentials: Mapping[str, Credential]

    def cluster(self, layout: "Layout", supervisor: ProcessMark, parts: tuple[PartMark, ...]) -> Cluster:
        """What those who attach are told."""
        operator = self.credentials["operator-local"]
        path = str(layout.credential("operator-local"))
        store = self.store.endpoint_url
        return Cluster(str(layout.data), operator.nats_url, operator.http_url, store, path, supervisor, parts)


class Layout(NamedTuple):
    """The paths below one data folder."""

    data: Path

    def prepare(self) -> None:
        """The folders exist and are private to their owner."""
        for folder in (self.data, self.credentials, self.logs):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.data.chmod(0o700)
        self.credentials.chmod(0o700)

    @property
    def credentials(self) -> Path:
        """Folder of everything secret."""
        return self.data / "credentials"

    @property
    def logs(self) -> Path:
        """Folder of the parts' logs."""
        return self.data / "logs"

    @property
    def cluster(self) -> Path:
        """What attaches read; there only while all parts run."""
        return self.data / "cluster.json"

    @property
    def parts(self) -> Path:
        """The processes started last, for the supervisor that comes after a crash."""
        return self.data / "parts.json"

    @property
    def supervisor_lock(self) -> Path:
        """Locked as long as a supervisor lives; holds its mark."""
        return self.data / "supervisor.lock"

    @property
    def attach_lock(self) -> Path:
        """Locked while somebody attaches; its modification time tells when that was last."""
        return self.data / "attach.lock"

    def credential(self, actor: str) -> Path:
        """The credential file of an actor."""
        return self.credentials / f"{actor}.json"

    def log(self, part: str) -> Path:
        """The log of a part."""
        return self.logs / f"{part}.log"


def data_folder(environ: Mapping[str, str]) -> Path:
    """``$WHEELFLEET_DATA``, else ``wheelfleet`` in the user's XDG data folder."""
    if named := environ.get("WHEELFLEET_DATA"):
        return Path(named).absolute()
    base = environ.get("XDG_DATA_HOME") or str(Path(environ.get("HOME", "~")).expanduser() / ".local" / "share")
    return Path(base).absolute() / "wheelfleet"


def wished_interpreters(environ: Mapping[str, str]) -> tuple[str, ...] | None:
    """The Pythons that ``$WHEELFLEET_INTERPRETERS`` names, written as ``$PATH`` is; None where it names none.

    Raises InputError for a path that is not absolute: the agent starts in a folder of its own.
    """
    named = tuple(filter(None, environ.get("WHEELFLEET_INTERPRETERS", "").split(os.pathsep)))
    for path in named:
        if not Path(path).is_absolute():
            raise InputError(f"WHEELFLEET_INTERPRETERS names {path}, which is not absolute", "give the whole path")
    return named or None


@contextmanager
def try_lock(path: Path) -> Iterator[int | None]:
    """The descriptor of the locked file inside the block; None where another process holds the lock."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield descriptor
    finally:
        os.close(descriptor)


def set_up(layout: Layout, wishes: AgentWishes) -> Setup:
    """Keys exist, ports are chosen, and the credential and configuration files say so.

    Keys are made once; everything that follows from them is written anew at every start.
    """
    ports = _choose_ports(layout.data / "ports.json")
    urls = f"nats://127.0.0.1:{ports.nats}", f"http://127.0.0.1:{ports.http}"
    token_file = layout.credentials / "http.token"
    if not token_file.exists():
        write_private(token_file, secrets.token_urlsafe(32).encode())
    token = read_private(token_file).decode()
    credentials = {actor: _credential(layout, actor, *urls, token) for actor in _actors()}
    store = _store(layout.credentials / "store.json", ports.store)
    http = HttpConfig(port=ports.http, token_files=(str(token_file),), public=True)
    _write_configurations(layout, store, http, wishes)
    nats = NatsConfig(
        server_name=f"wheelfleet-{digest('data-folder/1', str(layout.data))[:12]}",
        store_folder=str(layout.data / "nats" / "store"),
        users=tuple(user_of(credential) for credential in credentials.values()),
        port=ports.nats,
    )
    return Setup(nats, store, ports, credentials)


def _actors() -> list[str]:
    return [actor_of(role, name) for role, name in _ACTORS]


def _choose_ports(path: Path) -> Ports:
    kept = msgspec.json.decode(path.read_bytes(), type=Ports) if path.exists() else Ports()
    ports = Ports(choose_port(kept.nats), choose_port(kept.store), choose_port(kept.http))
    if ports != kept:
        write_private(path, msgspec.json.encode(ports))
    return ports


def _credential(layout: Layout, actor: str, nats_url: str, http_url: str, token: str) -> Credential:
    path = layout.credential(actor)
    role, _, name = actor.partition("-")
    old = load_credential(path) if path.exists() else make_credential(nats_url, actor_of(role, name))  # type: ignore[arg-type]
    if role == "agent":
        http_url = token = ""  # agents get signed URLs, and need no more
    credential = msgspec.structs.replace(old, nats_url=nats_url, http_url=http_url, http_token=token)
    save_credential(path, credential)
    return credential


class _StoreKeys(msgspec.Struct, frozen=True):
    access_key: str
    secret_key: str


def _store(path: Path, port: int) -> StoreConfig:
    if not path.exists():
        made = _StoreKeys(access_key=secrets.token_hex(10), secret_key=secrets.token_hex(20))
        write_private(path, msgspec.json.encode(made))
    keys = msgspec.json.decode(read_private(path), type=_StoreKeys)
    return StoreConfig(f"http://127.0.0.1:{port}", "wheelfleet", keys.access_key, keys.secret_key)


def _write_configurations(layout: Layout, store: StoreConfig, http: HttpConfig, wishes: AgentWishes) -> None:
    coordinator = CoordinatorConfig(
        str(layout.credential("coordinator-local")),
        str(layout.data / "coordinator"),
        store,
        http,
        local_files=True,
        patience=_PATIENCE,
    )
    # The interpreter below a virtual environment: builds make environments of their own.
    interpreters = wishes.interpreters or (str(getattr(sys, "_base_executable", sys.executable)),)
    agent = AgentConfig(
        str(layout.credential("agent-local")),
        str(layout.data / "agent"),
        wishes.slots or os.cpu_count() or 1,
        interpreters,
        wishes.sandbox or "auto",
        patience=_PATIENCE,
    )
    write_private(layout.data / "coordinator.json", encode_config(coordinator))
    write_private(layout.data / "agent.json", encode_config(agent))
