"""The folder from which a fleet is administered: its keys, its authority, and who was let in."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from wheelfleet_shared.adapters.make_credentials import read_private, write_private
from wheelfleet_shared.adapters.signing import new_seed, public_half, signer
from wheelfleet_shared.core import fleet_accounts as accounts
from wheelfleet_shared.core.credentials import Credential
from wheelfleet_shared.core.fleet_server import Trust
from wheelfleet_shared.core.nats_jwt import Scope, encode_jwt, user_claims
from wheelfleet_shared.core.permissions import Role, actor_of, inbox_prefix
from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import Actor

from ..adapters.certificates import Certificate, make_authority
from ..core.fleet import Fleet, FleetKeys, named_actor, revoked_keys, with_enrolled, without

_DAY = 86_400
_UPDATE_LASTING = 300
ROLES: tuple[Role, ...] = ("coordinator", "agent", "operator", "viewer")


class FleetFolder(NamedTuple):
    """The paths below one folder. ``authority`` is what has to be kept from everybody; its backup is the fleet's."""

    root: Path

    @property
    def authority(self) -> Path:
        """Folder of the keys that make everybody else's."""
        return self.root / "authority"

    @property
    def coordinator(self) -> Path:
        """What goes to the host of a coordinator."""
        return self.root / "coordinator"

    def server(self, name: str) -> Path:
        """What goes to the host of a NATS server."""
        return self.root / "nats" / name

    @property
    def _fleet(self) -> Path:
        return self.authority / "fleet.json"

    @property
    def _keys(self) -> Path:
        return self.authority / "keys.json"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """No other process changes the fleet meanwhile: a key that nobody notes could not be taken away."""
        with (self.authority / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def exists(self) -> bool:
        """Whether a fleet was made here."""
        return self._fleet.exists()

    def fleet(self) -> Fleet:
        """Addresses and who was let in; raises InputError where the folder holds no fleet."""
        if not self.exists():
            raise InputError(
                f"{self.root} holds no fleet", "name its folder with --fleet, or make one: wheelfleet init-cluster"
            )
        return msgspec.json.decode(read_private(self._fleet), type=Fleet)

    def keys(self) -> FleetKeys:
        """All private keys; raises InputError where they are missing."""
        return msgspec.json.decode(read_private(self._keys), type=FleetKeys)

    def make_keys(self) -> None:
        """There are private keys; never new ones for a fleet that has some."""
        if not self.exists() and not self._keys.exists():
            write_private(self._keys, msgspec.json.encode(_new_keys()))

    def save(self, fleet: Fleet) -> None:
        """The folder holds this fleet."""
        write_private(self._fleet, msgspec.json.format(msgspec.json.encode(fleet), indent=2))

    def certificate_authority(self, at: float) -> Certificate:
        """The private authority; made where it is missing."""
        paths = self.authority / "ca.pem", self.authority / "ca.key"
        if not all(path.exists() for path in paths):
            for path, content in zip(paths, make_authority(at), strict=True):
                write_private(path, content)
        return Certificate(*map(read_private, paths))


def enroll(folder: FleetFolder, role: Role, name: str, *, days: float, at: float) -> Credential:
    """A new credential of the actor, good for ``days`` from now; servers need not hear of it.

    Raises InputError for a name that cannot be an actor's.
    """
    keys, actor, seed = folder.keys(), actor_of(role, name), new_seed("user")
    scope = Scope(
        name=name,
        subject=public_half(seed),
        issuer=public_half(keys.signing[role]),
        account=identity_of(keys).account_of(role),
        issued_at=int(at),
        expires=int(at + days * _DAY),
    )
    token = encode_jwt(user_claims(scope), signer(keys.signing[role]))
    with folder.alone():
        fleet = folder.fleet()
        folder.save(with_enrolled(fleet, actor, scope.subject, at))
    authority = folder.certificate_authority(at).certificate.decode()
    http_url, http_token = _http(folder, fleet, role)
    return Credential(fleet.nats_url, actor, seed, http_url, http_token, token, authority)


def revoke(folder: FleetFolder, name: str, at: float) -> Actor:
    """The actor is noted as cut off, with every credential it ever got; ``account_tokens`` say so to servers."""
    folder.fleet()
    with folder.alone():
        fleet = folder.fleet()
        actor = named_actor(fleet, name)
        folder.save(without(fleet, actor, at))
    return actor


def identity_of(keys: FleetKeys) -> accounts.FleetIdentity:
    """The public halves."""
    signing = {role: public_half(seed) for role, seed in keys.signing.items()}
    return accounts.FleetIdentity(
        operator=public_half(keys.operator),
        system=public_half(keys.system),
        coordinators=public_half(keys.coordinators),
        fleet=public_half(keys.fleet),
        signing=signing,
    )


def account_tokens(keys: FleetKeys, fleet: Fleet) -> dict[str, str]:
    """Account → its token; servers keep the newest that they were given."""
    identity, sign, at = identity_of(keys), signer(keys.operator), fleet.tokens_at
    claims = (
        accounts.system_claims(identity, at),
        accounts.coordinators_claims(identity, revoked_keys(fleet, coordinators=True), at),
        accounts.fleet_claims(identity, revoked_keys(fleet, coordinators=False), at),
    )
    return {str(claim["sub"]): encode_jwt(claim, sign) for claim in claims}


def system_credential(folder: FleetFolder, at: float) -> Credential:
    """Good for five minutes, and for bringing account tokens to the servers alone."""
    keys, seed = folder.keys(), new_seed("user")
    claims = accounts.system_user_claims(
        identity_of(keys), public_half(seed), inbox_prefix(accounts.SYSTEM_ACTOR), int(at), _UPDATE_LASTING
    )
    token = encode_jwt(claims, signer(keys.system))
    authority = folder.certificate_authority(at).certificate.decode()
    return Credential(folder.fleet().nats_url, accounts.SYSTEM_ACTOR, seed, jwt=token, ca=authority)


def trust_of(keys: FleetKeys, fleet: Fleet) -> Trust:
    """What a server is told at its start."""
    identity = identity_of(keys)
    operator = encode_jwt(accounts.operator_claims(identity, fleet.tokens_at), signer(keys.operator))
    return Trust(operator, identity.system, account_tokens(keys, fleet))


def _http(folder: FleetFolder, fleet: Fleet, role: Role) -> tuple[str, str]:
    """Where and with which token the actor reads over HTTP; agents get signed URLs, and need no more."""
    if role in {"agent", "coordinator"}:
        return "", ""
    name = "operators.token" if role == "operator" else "readers.token"
    return fleet.http_url, read_private(folder.coordinator / name).decode()


def _new_keys() -> FleetKeys:
    return FleetKeys(
        operator=new_seed("operator"),
        system=new_seed("account"),
        coordinators=new_seed("account"),
        fleet=new_seed("account"),
        signing={role: new_seed("account") for role in ROLES},
    )
