"""The accounts of a fleet as tokens: which keys may make actors of which role, and which actors were cut off.

A role's signing key is scoped: whoever holds it can make actors of that role with any name, and
nothing else. What an actor may do stands with the key, so letting one in needs no word to the server.
"""

from collections.abc import Collection
from typing import Any, Final

import msgspec

from ..names import Actor
from .nats_jwt import claims_of
from .permissions import NOTICES, SERVICES, STREAMED_SERVICES, Permissions, Role, permissions_of

CLAIMS_UPDATE: Final = "$SYS.REQ.CLAIMS.UPDATE"
"""Where a server takes a new token of an account."""
SYSTEM_ACTOR: Final = Actor("operator-system")
"""As whom account tokens are brought to the servers; in the system account, so no operator of the fleet."""
FOR_EVER: Final = 2**33
"""Seconds since 1970 far in the future: a key that was taken away stays away, however wrong a clock was."""
_NO_LIMIT: Final = -1
_ANSWER_WITHIN: Final = 120 * 10**9
_CONNECTION: Final = {
    "subs": _NO_LIMIT,
    "data": _NO_LIMIT,
    "payload": _NO_LIMIT,
    "imports": _NO_LIMIT,
    "exports": _NO_LIMIT,
    "wildcards": True,
    "conn": _NO_LIMIT,
    "leaf": 0,
}
_STREAMS: Final = {"mem_storage": _NO_LIMIT, "disk_storage": _NO_LIMIT, "streams": _NO_LIMIT, "consumer": _NO_LIMIT}


class FleetIdentity(msgspec.Struct, frozen=True):
    """The public keys of a fleet. signing: role → key that makes its actors. Nothing secret."""

    operator: str
    system: str
    coordinators: str
    fleet: str
    signing: dict[Role, str]

    def account_of(self, role: Role) -> str:
        """The account in which actors of the role are; see ``permissions`` for why there are two."""
        return self.coordinators if role == "coordinator" else self.fleet


def operator_claims(identity: FleetIdentity, at: int) -> dict[str, Any]:
    """The root of trust of the servers."""
    body = {"system_account": identity.system}
    return claims_of("operator", identity.operator, identity.operator, "wheelfleet", at, body)


def system_claims(identity: FleetIdentity, at: int) -> dict[str, Any]:
    """The account in which servers talk of themselves and take new tokens."""
    return _account(identity, identity.system, "SYS", at, {"limits": _CONNECTION})


def coordinators_claims(identity: FleetIdentity, revoked: Collection[str], at: int) -> dict[str, Any]:
    """The account of the coordinators and the streams."""
    exports = [
        *({"name": s, "subject": s, "type": "service", "response_type": "Singleton"} for s in SERVICES),
        *({"name": s, "subject": s, "type": "service", "response_type": "Stream"} for s in STREAMED_SERVICES),
        *({"name": s, "subject": s, "type": "stream"} for s in NOTICES),
    ]
    body = {
        "limits": {**_CONNECTION, **_STREAMS},
        "exports": exports,
        "signing_keys": _signing_keys(identity, ("coordinator",)),
        "revocations": _revocations(revoked),
    }
    return _account(identity, identity.coordinators, "COORDINATORS", at, body)


def fleet_claims(identity: FleetIdentity, revoked: Collection[str], at: int) -> dict[str, Any]:
    """The account of everybody else."""
    services = ({"type": "service", "subject": subject} for subject in (*SERVICES, *STREAMED_SERVICES))
    notices = ({"type": "stream", "subject": subject} for subject in NOTICES)
    imports = [
        {**told, "name": told["subject"], "account": identity.coordinators, "local_subject": told["subject"]}
        for told in (*services, *notices)
    ]
    body = {
        "limits": _CONNECTION,
        "imports": imports,
        "signing_keys": _signing_keys(identity, ("agent", "operator", "viewer")),
        "revocations": _revocations(revoked),
    }
    return _account(identity, identity.fleet, "FLEET", at, body)


def template_of(role: Role) -> Permissions:
    """What every actor of the role may do; the server puts the name of each for ``{{name()}}``."""
    return permissions_of(Actor(f"{role}-x"), shown=Actor(f"{role}-{{{{name()}}}}"))


def system_user_claims(identity: FleetIdentity, subject: str, inbox: str, at: int, lasting: int) -> dict[str, Any]:
    """Somebody who may bring new account tokens to the servers, and nothing else, for ``lasting`` seconds."""
    grants = {"pub": {"allow": [CLAIMS_UPDATE]}, "sub": {"allow": [f"{inbox}.>"]}}
    limits = {"subs": _NO_LIMIT, "data": _NO_LIMIT, "payload": _NO_LIMIT}
    claims = claims_of("user", subject, identity.system, "claims", at, {**grants, **limits})
    return {**claims, "exp": at + lasting}


def _account(identity: FleetIdentity, subject: str, name: str, at: int, body: dict[str, Any]) -> dict[str, Any]:
    return claims_of("account", subject, identity.operator, name, at, body)


def _signing_keys(identity: FleetIdentity, roles: tuple[Role, ...]) -> list[dict[str, Any]]:
    return [
        {"kind": "user_scope", "key": identity.signing[role], "role": role, "template": _template(template_of(role))}
        for role in roles
    ]


def _template(permissions: Permissions) -> dict[str, Any]:
    grants: dict[str, Any] = {
        "pub": {"allow": list(permissions.publish), "deny": list(permissions.deny_publish)},
        "sub": {"allow": list(permissions.subscribe), "deny": list(permissions.deny_subscribe)},
        "subs": _NO_LIMIT,
        "data": _NO_LIMIT,
        "payload": _NO_LIMIT,
    }
    return {**grants, "resp": {"max": 1, "ttl": _ANSWER_WITHIN}} if permissions.respond else grants


def _revocations(revoked: Collection[str]) -> dict[str, int]:
    return dict.fromkeys(sorted(revoked), FOR_EVER)
