"""What one actor needs to take part: where the bus is, who it is, and the key that proves it."""

from typing import ClassVar

import msgspec

from ..errors import InputError
from ..names import Actor
from .permissions import role_of
from .sealed import Sealed


class Credential(Sealed, frozen=True, omit_defaults=True):
    """The content of a credential file.

    nkey_seed: the private key, ``SU…``. http_url, http_token: the coordinator's HTTP side, where
    it asks for a token. jwt: the token that says who the key is, where the server goes by tokens.
    ca: the authority, PEM, that the server's certificate has to be signed by; TLS is spoken where
    there is one.
    """

    secret_fields: ClassVar[tuple[str, ...]] = ("nkey_seed", "http_token", "jwt")

    nats_url: str
    actor: Actor
    nkey_seed: str
    http_url: str = ""
    http_token: str = ""
    jwt: str = ""
    ca: str = ""


def encode_credential(credential: Credential) -> bytes:
    """JSON for a file that only its owner can read."""
    return msgspec.json.format(msgspec.json.encode(credential), indent=2) + b"\n"


def decode_credential(data: bytes, *, toml: bool = False, origin: str = "credential") -> Credential:
    """The credential in JSON or TOML text.

    Raises InputError, which names ``origin`` and the field but never a value.
    """
    try:
        credential = (msgspec.toml.decode if toml else msgspec.json.decode)(data, type=Credential)
    except msgspec.DecodeError as error:
        raise InputError(
            f"{origin} holds no credential: {error}", "ask the operator of the cluster for the file again"
        ) from None
    role_of(credential.actor)
    return credential
