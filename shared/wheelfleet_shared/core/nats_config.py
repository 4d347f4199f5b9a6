"""The text of a nats-server configuration: durable streams, users known by key, the log in an account of its own."""

import json
from collections.abc import Iterable
from typing import Any

import msgspec

from ..names import Actor
from .permissions import NOTICES, SERVICES, STREAMED_SERVICES, Permissions, permissions_of, role_of

MAX_PAYLOAD = 1024 * 1024
"""Bytes of one message; events stay below 64 KiB, everything large lies in the object store."""
_INNER = "COORDINATORS"
_OUTER = "FLEET"
_RESPONSE = {"max": 1, "expires": "2m"}


class User(msgspec.Struct, frozen=True):
    """An actor and the public half of its nkey; nothing secret."""

    actor: Actor
    public_key: str


class NatsConfig(msgspec.Struct, frozen=True):
    """What a server is told. Folders are absolute paths.

    port: -1 lets the server choose; it then writes what it chose into ``ports_folder``.
    monitoring: port of the HTTP monitoring on loopback, -1 to let the server choose, None for none.
    max_memory, max_file: bytes that the streams may take.
    """

    server_name: str
    store_folder: str
    users: tuple[User, ...]
    host: str = "127.0.0.1"
    port: int = -1
    monitoring: int | None = None
    ports_folder: str = ""
    max_memory: int = 256 * 1024**2
    max_file: int = 1024**4
    max_payload: int = MAX_PAYLOAD


def render(config: NatsConfig) -> str:
    """The configuration as JSON, which nats-server reads; equal values give equal text.

    Every append is on disk when it is acknowledged (``sync_interval: always``): a power failure
    loses nothing, at the price of one fsync a message or atomic batch.
    """
    settings: dict[str, Any] = {
        "server_name": config.server_name,
        "host": config.host,
        "port": config.port,
        "max_payload": config.max_payload,
        "jetstream": {
            "store_dir": config.store_folder,
            "sync_interval": "always",
            "max_memory_store": config.max_memory,
            "max_file_store": config.max_file,
        },
        "accounts": _accounts(config.users),
    }
    if config.monitoring is not None:
        settings["http"] = f"127.0.0.1:{config.monitoring}"
    if config.ports_folder:
        settings["ports_file_dir"] = config.ports_folder
    return json.dumps(settings, indent=2) + "\n"


def _accounts(users: Iterable[User]) -> dict[str, Any]:
    """Coordinators with the streams in one account, everybody else in the other; see ``permissions``."""
    users = list(users)
    inner = [user for user in users if role_of(user.actor) == "coordinator"]
    outer = [user for user in users if role_of(user.actor) != "coordinator"]
    exports = [
        *({"service": subject, "response_type": "singleton"} for subject in SERVICES),
        *({"service": subject, "response_type": "stream"} for subject in STREAMED_SERVICES),
        *({"stream": subject} for subject in NOTICES),
    ]
    imports = [
        *({"service": {"account": _INNER, "subject": subject}} for subject in (*SERVICES, *STREAMED_SERVICES)),
        *({"stream": {"account": _INNER, "subject": subject}} for subject in NOTICES),
    ]
    return {
        _INNER: {"jetstream": "enabled", "users": _users(inner), "exports": exports},
        _OUTER: {"users": _users(outer), "imports": imports},
    }


def _users(users: Iterable[User]) -> list[dict[str, Any]]:
    return [
        {"nkey": user.public_key, "permissions": _permissions(permissions_of(user.actor))}
        for user in sorted(users, key=lambda user: user.actor)
    ]


def _permissions(permissions: Permissions) -> dict[str, Any]:
    grants: dict[str, Any] = {
        "publish": _allow_deny(permissions.publish, permissions.deny_publish),
        "subscribe": _allow_deny(permissions.subscribe, permissions.deny_subscribe),
    }
    return {**grants, "allow_responses": _RESPONSE} if permissions.respond else grants


def _allow_deny(allow: tuple[str, ...], deny: tuple[str, ...]) -> dict[str, list[str]]:
    return {"allow": list(allow), "deny": list(deny)} if deny else {"allow": list(allow)}
