"""JSON web tokens as nats-server reads them: claims to text and back. Signing is somebody else's."""

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

import msgspec

from ..errors import InputError

Sign = Callable[[bytes], bytes]
"""The Ed25519 signature, 64 bytes, of some bytes."""
Verify = Callable[[bytes, bytes], bool]
"""Whether some bytes were signed with this signature."""
_HEADER: Final = {"typ": "JWT", "alg": "ed25519-nkey"}
_VERSION: Final = 2


class Scope(msgspec.Struct, frozen=True):
    """What is of interest in a user's token; times in whole seconds since 1970, ``expires`` 0 for never.

    name: the actor's name without its role. issuer: the signing key. account: whose signing key that is.
    """

    name: str
    subject: str
    issuer: str
    account: str
    issued_at: int
    expires: int


def encode_jwt(claims: Mapping[str, Any], sign: Sign) -> str:
    """The signed token of the claims; ``jti`` is added, a digest of the rest."""
    identity = base64.b32encode(hashlib.sha256(_json(claims)).digest()).decode().rstrip("=")
    signed = f"{_base64(_json(_HEADER))}.{_base64(_json({**claims, 'jti': identity}))}"
    return f"{signed}.{_base64(sign(signed.encode()))}"


def claims_of(
    kind: str, subject: str, issuer: str, name: str, issued_at: int, body: Mapping[str, Any]
) -> dict[str, Any]:
    """Claims of an operator, an account or a user (``kind``) about the public key ``subject``."""
    nats = {**body, "type": kind, "version": _VERSION}
    return {"iat": issued_at, "iss": issuer, "sub": subject, "name": name, "nats": nats}


def user_claims(scope: Scope) -> dict[str, Any]:
    """A user whose permissions are those that its signing key allows, and no others."""
    claims = claims_of(
        "user", scope.subject, scope.issuer, scope.name, scope.issued_at, {"issuer_account": scope.account}
    )
    return {**claims, "exp": scope.expires} if scope.expires else claims


def read_user(token: str) -> Scope:
    """What a user's token says, whoever signed it; raises InputError for anything else."""
    try:
        _, body, _ = token.split(".")
        found = msgspec.json.decode(_bytes(body), type=_UserClaims)
    except (ValueError, binascii.Error, msgspec.DecodeError):
        raise InputError(
            "the token of a credential is damaged", "ask the operator of the cluster for a new one"
        ) from None
    return Scope(found.name, found.sub, found.iss, found.nats.issuer_account, found.iat, found.exp)


def is_signed(token: str, verify: Verify) -> bool:
    """Whether the token carries a signature of the key that ``verify`` stands for."""
    signed, _, signature = token.rpartition(".")
    try:
        return verify(signed.encode(), _bytes(signature))
    except (ValueError, binascii.Error):
        return False


class _UserBody(msgspec.Struct, frozen=True):
    type: Literal["user"]
    issuer_account: str = ""


class _UserClaims(msgspec.Struct, frozen=True):
    name: str
    sub: str
    iss: str
    iat: int
    nats: _UserBody
    exp: int = 0


def _json(value: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode(value)


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
