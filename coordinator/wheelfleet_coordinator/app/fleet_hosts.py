"""What each host of a fleet needs, made from the administrator's folder: servers and the coordinator."""

import secrets
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from wheelfleet_shared.adapters.make_credentials import write_private
from wheelfleet_shared.core.configuration import CoordinatorConfig, HttpConfig, StoreConfig, encode_config
from wheelfleet_shared.core.credentials import encode_credential
from wheelfleet_shared.core.fleet_server import ServerPlace, render_server
from wheelfleet_shared.errors import InputError

from ..adapters.certificates import make_server
from ..core.fleet import Fleet, SigningKeys, reissued
from .fleet_folder import ROLES, FleetFolder, enroll, identity_of, trust_of

PORT = 4222
ROUTE_PORT = 6222
HTTP_PORT = 8180
"""Where a coordinator listens on loopback for the proxy in front of it."""
FIRST_COORDINATOR = "main"
_COORDINATOR_DAYS = 90
_PATIENCE = 60.0


class Wishes(NamedTuple):
    """What the administrator says at the making of a fleet.

    nats_url: ``tls://host[:port]``, for three servers with commas between. http_url: of the
    coordinator, as others reach it. configuration, data: the folders on each host that will hold
    what is made here, and what the daemons write.
    """

    nats_url: str
    http_url: str
    store: StoreConfig
    replicas: int = 0
    configuration: str = "/etc/wheelfleet"
    data: str = "/var/lib/wheelfleet"


def init_fleet(folder: FleetFolder, wishes: Wishes, at: float) -> Fleet:
    """The folder holds keys and what each host needs; ``at``: seconds since 1970.

    A second time keeps keys, authority and who was let in, and writes anew what follows from them,
    certificates included. Raises InputError for addresses that cannot be used.
    """
    places = _places(wishes)
    replicas = wishes.replicas or len(places)
    if replicas > len(places) or replicas not in {1, 3}:
        raise InputError(f"{len(places)} servers cannot keep {replicas} copies", "name one server, or three")
    _http_config(wishes.http_url, ())
    for path in (folder.root, folder.authority, folder.coordinator, *(folder.server(place.name) for place in places)):
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    urls = ",".join(f"tls://{_bracketed(host)}:{port}" for host, port in _addresses(wishes.nats_url))
    folder.make_keys()
    with folder.alone():
        old = folder.fleet() if folder.exists() else Fleet("", "", ())
        names = tuple(place.name for place in places)
        new = msgspec.structs.replace(old, nats_url=urls, http_url=wishes.http_url.rstrip("/"), servers=names)
        folder.save(reissued(new, at))
    for place, (host, _) in zip(places, _addresses(wishes.nats_url), strict=True):
        _write_server(folder, place, host, at)
    _write_coordinator(folder, wishes, replicas, at)
    return folder.fleet()


def _addresses(nats_url: str) -> list[tuple[str, int]]:
    found = []
    for url in filter(None, nats_url.split(",")):
        parts = urlsplit(url if "://" in url else f"tls://{url}")
        if parts.scheme not in {"tls", "nats"} or not parts.hostname or parts.path.strip("/"):
            raise InputError(f"{url} is no address of a NATS server", "write tls://host:4222")
        found.append((parts.hostname, parts.port or PORT))
    if not found:
        raise InputError("no address of a NATS server is given", "write --nats-url tls://host:4222")
    return found


def _places(wishes: Wishes) -> list[ServerPlace]:
    addresses = _addresses(wishes.nats_url)
    routes = tuple(f"{_bracketed(host)}:{ROUTE_PORT}" for host, _ in addresses) if len(addresses) > 1 else ()
    places = [
        ServerPlace(
            host, f"{wishes.configuration}/nats", f"{wishes.data}/nats", port=port, route_port=ROUTE_PORT, routes=routes
        )
        for host, port in addresses
    ]
    if len({place.name for place in places}) < len(places):
        raise InputError("two servers have one host name", "give each server a host of its own")
    return places


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _write_server(folder: FleetFolder, place: ServerPlace, host: str, at: float) -> None:
    target, authority = folder.server(place.name), folder.certificate_authority(at)
    made = make_server(authority, (host, "localhost", "127.0.0.1"), at)
    write_private(target / "ca.pem", authority.certificate)
    write_private(target / "server.pem", made.certificate)
    write_private(target / "server.key", made.key)
    trust = trust_of(folder.keys(), folder.fleet())
    write_private(target / "nats.conf", render_server(place, trust).encode())


def _write_coordinator(folder: FleetFolder, wishes: Wishes, replicas: int, at: float) -> None:
    target, installed = folder.coordinator, f"{wishes.configuration}/coordinator"
    tokens = ("operators.token", "readers.token")
    for name in tokens:
        if not (target / name).exists():
            write_private(target / name, secrets.token_urlsafe(32).encode())
    keys = folder.keys()
    identity = identity_of(keys)
    signing = SigningKeys({role: identity.account_of(role) for role in ROLES}, keys.signing)
    write_private(target / "signing.json", msgspec.json.encode(signing))
    config = CoordinatorConfig(
        f"{installed}/credential.json",
        f"{wishes.data}/coordinator",
        wishes.store,
        _http_config(wishes.http_url, tuple(f"{installed}/{name}" for name in tokens)),
        patience=_PATIENCE,
        signing=f"{installed}/signing.json",
        replicas=replicas,
    )
    write_private(target / "coordinator.json", encode_config(config))
    if not (target / "credential.json").exists():
        made = enroll(folder, "coordinator", FIRST_COORDINATOR, days=_COORDINATOR_DAYS, at=at)
        write_private(target / "credential.json", encode_credential(made))


def _http_config(http_url: str, token_files: tuple[str, ...]) -> HttpConfig:
    """Behind a proxy on the same host where the address is one of TLS; else for everybody."""
    parts = urlsplit(http_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InputError(f"{http_url} is no HTTP address", "write --http-url https://wheels.example.org")
    if parts.scheme == "https":
        return HttpConfig("127.0.0.1", HTTP_PORT, token_files)
    return HttpConfig("0.0.0.0", parts.port or 80, token_files)  # noqa: S104 - asked for
