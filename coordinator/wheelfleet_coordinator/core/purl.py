"""Package URLs (ECMA-427): written from their parts, and recognised."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, unquote

_WHOLE: Final = re.compile(r"pkg:/*(?P<type>[A-Za-z][A-Za-z0-9.-]*)/(?P<rest>[^?#]+)(\?[^#]*)?(#.*)?")

_CASELESS: Final = frozenset({"pypi", "github", "gitlab", "bitbucket"})


def write_purl(
    kind: str, name: str, version: str, namespace: str = "", qualifiers: Mapping[str, str] | None = None
) -> str:
    """``pkg:<kind>/<namespace>/<name>@<version>?<qualifiers>``; empty parts are left out."""
    parts = [part for part in (*namespace.split("/"), name) if part]
    path = "/".join(_quoted(part.lower() if kind in _CASELESS else part) for part in parts)
    path = path.replace("_", "-") if kind == "pypi" else path
    asked = "&".join(f"{key}={_quoted(value)}" for key, value in sorted((qualifiers or {}).items()) if value)
    return f"pkg:{kind}/{path}" + (f"@{_quoted(version)}" if version else "") + (f"?{asked}" if asked else "")


def read_purl(text: str) -> tuple[str, str, str]:
    """Type, name and version (empty where there is none) of a purl. Raises ValueError for other text."""
    found = _WHOLE.fullmatch(text)
    rest = found["rest"].strip("/") if found else ""
    path, _, version = rest.rpartition("@") if "@" in rest else (rest, "", "")
    name = path.rpartition("/")[2]
    if not found or not name:
        raise ValueError(f"{text!r} is no purl (pkg:<type>/<name>@<version>)")
    return found["type"].lower(), unquote(name), unquote(version)


def _quoted(text: str) -> str:
    return quote(text, safe=":/")
