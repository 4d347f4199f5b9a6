"""nkeys that sign: new ones, their public halves, and signatures."""

import os
from typing import Final, Literal

import nkeys  # type: ignore[import-untyped]

from ..core.nats_jwt import Sign, Verify
from ..errors import InputError

KeyKind = Literal["operator", "account", "user"]
_PREFIXES: Final[dict[KeyKind, int]] = {
    "operator": nkeys.PREFIX_BYTE_OPERATOR,
    "account": nkeys.PREFIX_BYTE_ACCOUNT,
    "user": nkeys.PREFIX_BYTE_USER,
}


def new_seed(kind: KeyKind) -> str:
    """A new random private key."""
    return str(nkeys.encode_seed(os.urandom(32), _PREFIXES[kind]).decode())


def public_half(seed: str) -> str:
    """The public key of a seed; raises InputError for what is none."""
    return str(_pair(seed).public_key.decode())


def signer(seed: str) -> Sign:
    """What signs with the seed; raises InputError for what is none."""
    pair = _pair(seed)
    return lambda data: bytes(pair.sign(data))


def verifier(seed: str) -> Verify:
    """What tells whether the seed signed some bytes; raises InputError for what is no seed."""
    pair = _pair(seed)

    def verify(data: bytes, signature: bytes) -> bool:
        try:
            return bool(pair.verify(data, signature))
        except (nkeys.NkeysError, ValueError):
            return False

    return verify


def _pair(seed: str) -> nkeys.KeyPair:
    try:
        return nkeys.from_seed(bytearray(seed.encode()))
    except (nkeys.NkeysError, ValueError):
        raise InputError("the seed of a key is damaged", "take it from the backup") from None
