"""The text of the configuration of a fleet's nats-server: TLS, durable streams, actors known by token."""

import json
from typing import Any, Final

import msgspec

from .nats_config import MAX_PAYLOAD

CLUSTER: Final = "wheelfleet"


class ServerPlace(msgspec.Struct, frozen=True):
    """Where a server listens and what lies where on its host; absolute paths.

    routes: ``host:port`` of the other servers; none for one that is alone. route_port: where it
    listens for them. monitoring: port on loopback, 0 for none. port -1: the server chooses, and
    writes what it chose into ``ports_folder``.
    """

    name: str
    configuration: str
    data: str
    host: str = "0.0.0.0"  # noqa: S104 - agents are on other hosts; TLS and tokens guard it
    port: int = 4222
    route_port: int = 6222
    routes: tuple[str, ...] = ()
    monitoring: int = 8222
    ports_folder: str = ""


class Trust(msgspec.Struct, frozen=True):
    """Tokens of a fleet. accounts: public key → token, for the start; newer ones that a server was given stay."""

    operator: str
    system: str
    accounts: dict[str, str]


def render_server(place: ServerPlace, trust: Trust) -> str:
    """The configuration as JSON, which nats-server reads.

    Connections begin with the TLS handshake, so nobody between can talk a client out of it. Every
    append is on disk when it is acknowledged.
    """
    settings: dict[str, Any] = {
        "server_name": place.name,
        "host": place.host,
        "port": place.port,
        "max_payload": MAX_PAYLOAD,
        "tls": {**_certificate(place), "handshake_first": True, "timeout": 5},
        "jetstream": {"store_dir": f"{place.data}/store", "sync_interval": "always"},
        "operator": trust.operator,
        "system_account": trust.system,
        "resolver": {"type": "full", "dir": f"{place.data}/accounts", "allow_delete": False, "interval": "2m"},
        "resolver_preload": dict(sorted(trust.accounts.items())),
    }
    if place.routes:
        settings["cluster"] = _cluster(place)
    if place.monitoring:
        settings["http"] = f"127.0.0.1:{place.monitoring}"
    if place.ports_folder:
        settings["ports_file_dir"] = place.ports_folder
    return json.dumps(settings, indent=2) + "\n"


def _certificate(place: ServerPlace) -> dict[str, Any]:
    folder = place.configuration
    return {"cert_file": f"{folder}/server.pem", "key_file": f"{folder}/server.key", "ca_file": f"{folder}/ca.pem"}


def _cluster(place: ServerPlace) -> dict[str, Any]:
    """Servers show each other certificates, and take none that another authority signed."""
    return {
        "name": CLUSTER,
        "host": place.host,
        "port": place.route_port,
        "tls": {**_certificate(place), "verify": True, "timeout": 5},
        "routes": [f"nats-route://{route}" for route in place.routes],
    }
