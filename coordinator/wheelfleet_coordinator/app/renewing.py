"""Credentials that last longer: whoever shows a good token gets the same one again, with a later end."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from wheelfleet_shared.adapters.make_credentials import read_private
from wheelfleet_shared.adapters.signing import public_half, signer, verifier
from wheelfleet_shared.core.nats_jwt import encode_jwt, is_signed, read_user, user_claims
from wheelfleet_shared.core.permissions import actor_of, role_of
from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import Actor
from wheelfleet_shared.ports import Clock

from ..core.fleet import SigningKeys

Renew = Callable[[str, str], str]
"""(actor, its token) → a token that lasts longer; raises InputError for a token that is not this actor's."""


def no_renewal(actor: str, _: str) -> str:
    """Of a coordinator without signing keys."""
    raise InputError(f"no keys here renew the credential of {actor}", "`wheelfleet enroll` makes a new one")


def renewal(keys: SigningKeys, clock: Clock) -> Renew:
    """Renewal with these keys.

    The key of the actor stays the same, so what was taken away stays away: no token brings a revoked
    key back. Nobody can get a token for another name, another role or another key by it.
    """

    def renew(actor: str, jwt: str) -> str:
        role, old, now = role_of(Actor(actor)), read_user(jwt), int(clock.now())
        seed = keys.seeds.get(role)
        if seed is None:
            return no_renewal(actor, jwt)
        owned = old.issuer == public_half(seed) and actor_of(role, old.name) == actor
        if not owned or not is_signed(jwt, verifier(seed)) or 0 < old.expires <= now:
            raise InputError(f"the token is not one of {actor} that counts", "`wheelfleet enroll` makes a new one")
        later = now + old.expires - old.issued_at if old.expires else 0
        scope = msgspec.structs.replace(old, account=keys.accounts[role], issued_at=now, expires=later)
        return encode_jwt(user_claims(scope), signer(seed))

    return renew


def renewal_of(signing: str, clock: Clock) -> Renew:
    """Renewal with the keys in a file; none for an empty path. Raises InputError for a file that is none."""
    if not signing:
        return no_renewal
    try:
        keys = msgspec.json.decode(read_private(Path(signing)), type=SigningKeys)
    except msgspec.DecodeError as error:
        raise InputError(f"{signing} holds no signing keys: {error}", "take the file that init-cluster made") from None
    return renewal(keys, clock)
