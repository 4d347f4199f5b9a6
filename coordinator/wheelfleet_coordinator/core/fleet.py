"""A fleet as its administrator keeps it: its keys, who was let in, and what follows from both."""

from typing import ClassVar

import msgspec

from wheelfleet_shared.core.permissions import Role
from wheelfleet_shared.core.sealed import Sealed
from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import Actor


class FleetKeys(Sealed, frozen=True):
    """The private keys of a fleet. signing: role → seed of the key that makes its actors."""

    secret_fields: ClassVar[tuple[str, ...]] = ("operator", "system", "coordinators", "fleet", "signing")

    operator: str
    system: str
    coordinators: str
    fleet: str
    signing: dict[Role, str]


class SigningKeys(Sealed, frozen=True):
    """What a coordinator needs to renew credentials: accounts (public) and seeds by role."""

    secret_fields: ClassVar[tuple[str, ...]] = ("seeds",)

    accounts: dict[Role, str]
    seeds: dict[Role, str]


class Enrolled(msgspec.Struct, frozen=True):
    """Somebody who was let in. ``at``: seconds since 1970. revoked_at: 0 while it counts."""

    actor: Actor
    public_key: str
    at: float
    revoked_at: float = 0.0


class Fleet(msgspec.Struct, frozen=True):
    """What is no secret: addresses, and everybody who was ever let in, the oldest first.

    nats_url: one ``tls://host:port`` a server, with commas between. servers: names of their folders.
    tokens_at: when the tokens of the accounts were issued; servers take none that is not newer.
    """

    nats_url: str
    http_url: str
    servers: tuple[str, ...]
    tokens_at: int = 0
    enrolled: tuple[Enrolled, ...] = ()


def with_enrolled(fleet: Fleet, actor: Actor, public_key: str, at: float) -> Fleet:
    """The fleet with one more who is let in."""
    return msgspec.structs.replace(fleet, enrolled=(*fleet.enrolled, Enrolled(actor, public_key, at)))


def named_actor(fleet: Fleet, name: str) -> Actor:
    """The actor of whom a name, with or without its role, speaks; raises InputError for nobody or several.

    Whoever was cut off already counts too: servers that were away then may be told again.
    """
    known = {entry.actor for entry in fleet.enrolled}
    found = sorted(actor for actor in known if name in {actor, actor.partition("-")[2]})
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(f"{name} may be {' or '.join(found)}", "name it with its role")
    raise InputError(f"nobody named {name} was ever let in", f"one of {', '.join(sorted(known)) or 'nobody'}")


def without(fleet: Fleet, actor: Actor, at: float) -> Fleet:
    """The fleet where every key of the actor was taken away, at ``at`` where it was not yet."""
    enrolled = tuple(
        msgspec.structs.replace(entry, revoked_at=at) if entry.actor == actor and not entry.revoked_at else entry
        for entry in fleet.enrolled
    )
    return reissued(msgspec.structs.replace(fleet, enrolled=enrolled), at)


def reissued(fleet: Fleet, at: float) -> Fleet:
    """The fleet with tokens of its accounts that are newer than all before, whatever the clock says."""
    return msgspec.structs.replace(fleet, tokens_at=max(int(at), fleet.tokens_at + 1))


def revoked_keys(fleet: Fleet, *, coordinators: bool) -> tuple[str, ...]:
    """Public keys that were taken away, of coordinators or of all others."""
    return tuple(
        entry.public_key
        for entry in fleet.enrolled
        if entry.revoked_at and entry.actor.startswith("coordinator-") == coordinators
    )
