"""A credential's token and authority in a connection: how they are used, and what it means when they do not serve."""

import base64
import ssl
import time
from typing import Any

from ..core.credentials import Credential
from ..core.nats_jwt import read_user
from ..errors import InfrastructureError, InputError
from .signing import signer


class CurrentToken:
    """The token to show at the next connection."""

    def __init__(self, jwt: str) -> None:
        self.jwt = jwt


def use_token(credential: Credential, token: CurrentToken | None) -> dict[str, Any]:
    """Options of the client that prove who it is: by token where the credential has one, else by key alone.

    Raises InfrastructureError where the token's time is over or the seed is damaged, and InputError
    where the token is.
    """
    if not credential.jwt:
        return {"nkeys_seed_str": credential.nkey_seed}
    shown = token or CurrentToken(credential.jwt)
    _require_time_left(credential, shown.jwt)
    try:
        sign = signer(credential.nkey_seed)
    except InputError:
        raise InfrastructureError(f"the nkey seed of {credential.actor} is damaged", _ASK_FOR_ANOTHER) from None
    return {
        "user_jwt_cb": lambda: bytearray(shown.jwt.encode()),
        "signature_cb": lambda nonce: base64.b64encode(sign(nonce.encode())),
    }


def trust(credential: Credential) -> dict[str, Any]:
    """Options of the client for TLS from the first byte, trusting the credential's authority and no other.

    Raises InfrastructureError where the credential holds no certificate.
    """
    if not credential.ca:
        return {}
    try:
        context = ssl.create_default_context(cadata=credential.ca)
    except ssl.SSLError:
        raise InfrastructureError(
            f"the authority in the credential of {credential.actor} is damaged", _ASK_FOR_ANOTHER
        ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return {"tls": context, "tls_handshake_first": True}


def refused_token(credential: Credential, error: Exception) -> InfrastructureError | None:
    """What the failure to connect says of token or authority; None where it says nothing of them."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return InfrastructureError(
            f"the NATS server at {credential.nats_url} is not of the cluster of this credential: "
            f"{error.verify_message or error}",
            "check the address, and that the credential is of the cluster that runs there",
        )
    if isinstance(error, ssl.SSLError):
        return InfrastructureError(
            f"no TLS with the NATS server at {credential.nats_url}: {error}", "check the address and the server's log"
        )
    if not credential.jwt:
        return None
    text = str(error).lower()
    if "expired" in text:
        return _expired(credential, credential.jwt)
    if "authorization" in text or "revoked" in text:
        return InfrastructureError(
            f"the NATS server at {credential.nats_url} refuses the credential of {credential.actor}: "
            "it was revoked, has expired by the server's clock, or is of another cluster",
            _ASK_FOR_ANOTHER,
        )
    return None


_ASK_FOR_ANOTHER = "ask the operator of the cluster for a new one (wheelfleet enroll)"


def _require_time_left(credential: Credential, jwt: str) -> None:
    """Said before the server is asked, which names no reason; its clock counts all the same."""
    expires = read_user(jwt).expires
    if expires and expires <= time.time():
        raise _expired(credential, jwt)


def _expired(credential: Credential, jwt: str) -> InfrastructureError:
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(read_user(jwt).expires))
    return InfrastructureError(f"the credential of {credential.actor} expired on {when}", _ASK_FOR_ANOTHER)
