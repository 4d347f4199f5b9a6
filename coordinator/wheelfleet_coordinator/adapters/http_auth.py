"""Who may read over HTTP: Basic with any user name and the token as password, or Bearer.

pip and uv send Basic from the URL, a keyring or netrc; programs send Bearer.
"""

import base64
import binascii
import hmac
from collections.abc import Collection

from starlette.responses import PlainTextResponse, Response


def token_of(authorization: str) -> str | None:
    """The token that an Authorization header holds; None for none or one that cannot be read."""
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip() or None
    if scheme.lower() != "basic":
        return None
    try:
        _, colon, password = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return password if colon else None


def may_read(authorization: str, tokens: Collection[str]) -> bool:
    """Whether the header holds one of the tokens; compares in constant time."""
    given = token_of(authorization)
    if given is None:
        return False
    return any(hmac.compare_digest(given.encode(), token.encode()) for token in tokens)


def unauthorized() -> Response:
    """The answer that makes clients look for credentials."""
    text = "a token is needed: as password of any user, or as bearer\n"
    return PlainTextResponse(text, 401, {"WWW-Authenticate": 'Basic realm="wheelfleet", charset="UTF-8"'})
