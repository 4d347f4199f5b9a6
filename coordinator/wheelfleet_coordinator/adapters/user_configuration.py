"""Which package index to use, as the user's configuration of pip or uv says, and how to reach it.

Looked at in turn: the --index-url option, pip's configuration, uv's configuration, PyPI. Only the
default index counts: further indexes and folders of wheels are named, so that their being ignored
can be said.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

from wheelfleet_coordinator.core.candidates import without_credentials
from wheelfleet_shared.errors import InputError

from .pip_configuration import PipConfiguration, Setting
from .uv_configuration import UvConfiguration

_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


@dataclass(frozen=True)
class IndexChoice:
    """One package index and the way to it. Secrets stay out of its printed form.

    url: without credentials, without a slash at the end. origin: in words. ignored: further
    indexes, each with its origin. ca_bundle: a file, or a folder of certificates; empty for the
    system's. proxy: from a configuration file; empty leaves HTTPS_PROXY and its kin in charge.
    """

    url: str
    origin: str
    auth: tuple[str, str] | None = field(default=None, repr=False)
    ignored: tuple[str, ...] = ()
    ca_bundle: str = ""
    proxy: str = field(default="", repr=False)


def choose_index(option: str | None, environment: Mapping[str, str], *, prefix: Path, root: Path) -> IndexChoice:
    """The index to use; raises InputError where a configuration cannot be read or names no URL.

    option: the value of --index-url, if given. prefix: of the running Python (pip's *site* level).
    root: of the file system, below which the configurations of the system are looked for.
    """
    pip = PipConfiguration.read(environment, prefix=prefix, root=root)
    uv = UvConfiguration.read(environment, root=root)
    found = _default_index(option, pip, uv)
    certificate = pip.setting("cert") or _first_variable(environment, _CA_VARIABLES)
    return IndexChoice(
        url=_checked(found),
        origin=found.origin,
        auth=credentials_of(found.value) or uv.credentials(found.value),
        ignored=_named_once((*pip.further_indexes(), *uv.further_indexes())),
        ca_bundle=_existing(certificate),
        proxy=_value(_proxy(environment, pip, uv)),
    )


def pypi_endpoint() -> str:
    """``pypi_simple.PYPI_SIMPLE_ENDPOINT``, from that module's source: to run it takes a command 0.4 s."""
    found = find_spec("pypi_simple")
    source = "" if found is None or found.origin is None else Path(found.origin).read_text("utf-8")
    values = (part for part in ast.parse(source).body if isinstance(part, ast.Assign | ast.AnnAssign))
    for value in values:
        names = value.targets if isinstance(value, ast.Assign) else [value.target]
        if value.value is not None and any(ast.unparse(name) == "PYPI_SIMPLE_ENDPOINT" for name in names):
            return str(ast.literal_eval(value.value))
    from pypi_simple import PYPI_SIMPLE_ENDPOINT  # noqa: PLC0415 - of a release that is laid out otherwise

    return PYPI_SIMPLE_ENDPOINT


def credentials_of(url: str) -> tuple[str, str] | None:
    """User name and password that a URL holds, decoded; None where it holds none."""
    parts = urlsplit(url)
    if not parts.username and not parts.password:
        return None
    return unquote(parts.username or ""), unquote(parts.password or "")


def _default_index(option: str | None, pip: PipConfiguration, uv: UvConfiguration) -> Setting:
    if option is not None:
        return Setting(option, "the --index-url option")
    return pip.setting("index-url") or uv.default_index() or Setting(pypi_endpoint(), "the default")


def _checked(setting: Setting) -> str:
    """The URL, if it is one that an index can have."""
    try:
        parts = urlsplit(setting.value)
        usable = parts.scheme in {"http", "https", "file"} and bool(parts.hostname or parts.scheme == "file")
    except ValueError:
        usable = False
    if not usable:
        raise InputError(
            f"the package index from {setting.origin} is no URL of http, https or file",
            "give one as --index-url, as in https://HOST/simple/",
        )
    return without_credentials(setting.value).rstrip("/")


def _existing(setting: Setting | None) -> str:
    if setting is not None and not Path(setting.value).exists():
        raise InputError(
            f"the certificates at {setting.value}, from {setting.origin}, are not there",
            "correct or remove the setting",
        )
    return _value(setting)


def _first_variable(environment: Mapping[str, str], names: tuple[str, ...]) -> Setting | None:
    return next((Setting(environment[name], name) for name in names if environment.get(name)), None)


def _proxy(environment: Mapping[str, str], pip: PipConfiguration, uv: UvConfiguration) -> Setting | None:
    """The proxy that configuration files name: pip's before the usual variables, uv's after them."""
    by_variable = _first_variable(environment, ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"))
    return pip.setting("proxy") or (None if by_variable else uv.proxy())


def _value(setting: Setting | None) -> str:
    return setting.value if setting is not None else ""


def _named_once(further: tuple[Setting, ...]) -> tuple[str, ...]:
    """Each index once, under the origin that names it first."""
    origins: dict[str, str] = {}
    for setting in further:
        origins.setdefault(without_credentials(setting.value), setting.origin)
    return tuple(f"{url} ({origin})" for url, origin in origins.items())
