"""The way to upstream servers: certificates, proxies, credentials, and when to try again."""

import asyncio
import netrc
import ssl
from collections.abc import Awaitable, Callable, Generator, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

import httpx

from wheelfleet_shared.errors import IndexUnusable, InfrastructureError, InputError

from .user_configuration import IndexChoice

Sleep = Callable[[float], Awaitable[None]]
Result = TypeVar("Result")

ATTEMPTS = 5
FIRST_DELAY = 0.5
LONGEST_DELAY = 60.0
CONNECTIONS = 16
_AGAIN = frozenset({408, 425, 429})
_TIMEOUT = httpx.Timeout(30.0, pool=None)


class Transient(Exception):
    """A try failed in a way that may pass; ``wait`` is what the server asked for, in seconds."""

    def __init__(self, what: str, wait: float = 0.0) -> None:
        super().__init__(what)
        self.wait = wait


class Origin(NamedTuple):
    """Whom credentials are for: they go to no other scheme, host or port."""

    scheme: str
    host: str
    port: int | None

    @classmethod
    def of(cls, url: httpx.URL) -> "Origin":
        """The origin of a URL; the default port of a scheme is None."""
        return cls(url.scheme, url.host, url.port)


class UpstreamAuth(httpx.Auth):
    """Basic authentication for configured origins, and for the hosts in the user's netrc."""

    def __init__(self, credentials: Mapping[Origin, tuple[str, str]], known: netrc.netrc | None = None) -> None:
        self._credentials = dict(credentials)
        self._netrc = known

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request with the credentials for its origin, if there are any."""
        found = self._of(request.url)
        if found is not None and "Authorization" not in request.headers:
            yield from httpx.BasicAuth(*found).auth_flow(request)
        else:
            yield request

    def _of(self, url: httpx.URL) -> tuple[str, str] | None:
        configured = self._credentials.get(Origin.of(url))
        if configured is not None or self._netrc is None:
            return configured
        entry = self._netrc.authenticators(url.host)
        return (entry[0], entry[2] or "") if entry is not None else None


def auth_for(choice: IndexChoice, environment: Mapping[str, str]) -> UpstreamAuth:
    """The user's credentials: of the index itself, and of the netrc file, which may be missing or broken."""
    credentials = {Origin.of(httpx.URL(choice.url)): choice.auth} if choice.auth is not None else {}
    path = Path(environment.get("NETRC") or Path(environment.get("HOME") or Path.home()) / ".netrc")
    try:
        return UpstreamAuth(credentials, netrc.netrc(path))
    except (OSError, netrc.NetrcParseError, UnicodeDecodeError):
        return UpstreamAuth(credentials)


def tls_context(ca_bundle: str) -> ssl.SSLContext:
    """Verification against a bundle or a folder of certificates, or httpx's own where it is empty."""
    if not ca_bundle:
        return httpx.create_ssl_context()
    try:
        if Path(ca_bundle).is_dir():
            return ssl.create_default_context(capath=ca_bundle)
        return ssl.create_default_context(cafile=ca_bundle)
    except (ssl.SSLError, OSError) as error:
        raise InputError(f"the certificates in {ca_bundle} cannot be read: {error}", "correct the setting") from error


def open_client(choice: IndexChoice, environment: Mapping[str, str]) -> httpx.AsyncClient:
    """A client that reaches the index and the files it lists; redirects lose credentials at another origin."""
    return httpx.AsyncClient(
        auth=auth_for(choice, environment),
        headers={"User-Agent": "wheelfleet"},
        verify=tls_context(choice.ca_bundle),
        proxy=choice.proxy or None,
        follow_redirects=True,
        timeout=_TIMEOUT,
        limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
    )


async def with_retries(attempt: Callable[[], Awaitable[Result]], what: str, *, sleep: Sleep = asyncio.sleep) -> Result:
    """The result of the first try that succeeds, of at most five; waits double from half a second.

    Raises InfrastructureError once no try is left, or at once where another one cannot help; IndexUnusable
    where that is the URL's fault.
    """
    delay = FIRST_DELAY
    for left in reversed(range(ATTEMPTS)):
        try:
            return await attempt()
        except (Transient, httpx.TransportError) as error:
            if left == 0 or not _may_pass(error):
                raise _unreachable(what, error) from error
            asked = error.wait if isinstance(error, Transient) else 0.0
            await sleep(min(max(delay, asked), LONGEST_DELAY))
            delay *= 2
        except (httpx.TooManyRedirects, httpx.InvalidURL) as error:
            raise _unreachable(what, error) from error
    raise AssertionError


def check_transient(response: httpx.Response) -> None:
    """Raise Transient for an answer that another try may change."""
    if response.status_code in _AGAIN or response.status_code >= 500:
        raise Transient(f"the answer was {status_of(response)}", _retry_after(response))


def status_of(response: httpx.Response) -> str:
    """The status for people, as in ``404 Not Found``."""
    return f"{response.status_code} {response.reason_phrase}".strip()


def _retry_after(response: httpx.Response) -> float:
    """Seconds the server asks to wait; dates are not understood and count as none."""
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else 0.0


def _may_pass(error: Exception) -> bool:
    hopeless = isinstance(error, httpx.UnsupportedProtocol) or "CERTIFICATE_VERIFY_FAILED" in str(error)
    return not hopeless


_NO_WAY = (httpx.UnsupportedProtocol, httpx.TooManyRedirects, httpx.InvalidURL)
"""What no later try can mend: the URL itself leads nowhere."""


def _unreachable(what: str, error: Exception) -> InfrastructureError:
    if isinstance(error, _NO_WAY):
        return IndexUnusable(f"{what}: {error}", "see whether --index-url is right, and what the index links to")
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        step = "give the certificate authority in pip's configuration (cert) or as SSL_CERT_FILE"
    else:
        step = "try again later; a proxy is taken from pip's configuration or HTTPS_PROXY"
    return InfrastructureError(f"{what}: {error or type(error).__name__}", step)
