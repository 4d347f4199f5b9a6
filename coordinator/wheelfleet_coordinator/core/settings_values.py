"""Single values of settings: text, numbers, names and URLs as fromager takes them.

Each function takes what YAML says and returns the value, or raises ValueError in words that fit after
"'<key>' " of an error message.
"""

import math
import re
from collections.abc import Callable
from pathlib import PurePosixPath
from string import Template
from typing import Final
from urllib.parse import urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidName, canonicalize_name
from packaging.version import InvalidVersion, Version

from wheelfleet_shared.errors import InputError

from .git_url import is_git, read_git_url
from .purl import read_purl

_TRUE: Final = frozenset({"1", "t", "true", "y", "yes", "on"})
_FALSE: Final = frozenset({"0", "f", "false", "n", "no", "off"})
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PATTERN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\*?")
_CALLABLE: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*[:.][^\W\d]\w*", re.ASCII)
_SOURCE_SCHEMES: Final = frozenset({"http", "https", "file"})
_LABEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def plain_text(value: object) -> str:
    """Text as it stands; numbers, dates and truth values must be quoted, as their spelling is lost."""
    if isinstance(value, str):
        return value
    raise ValueError(f"must be text, not {value!r}; write it in quotes")


def flag(value: object) -> bool:
    """A truth value in any of YAML's or fromager's spellings."""
    if isinstance(value, bool):
        return value
    text = str(value).lower()
    if isinstance(value, int | str) and text in _TRUE | _FALSE:
        return text in _TRUE
    raise ValueError(f"must be true or false, not {value!r}")


def number(value: object) -> float:
    """A finite number, also in quotes."""
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            read = float(value)
        except (ValueError, OverflowError):
            read = math.nan
        if math.isfinite(read):
            return read
    raise ValueError(f"must be a number, not {value!r}")


def whole(least: int, most: int) -> Callable[[object], int]:
    """Reads a whole number from least to most, also in quotes."""

    def read(value: object) -> int:
        exact = number(value)
        if exact.is_integer() and least <= exact <= most:
            return int(exact)
        raise ValueError(f"must be a whole number from {least} to {most}, not {value!r}")

    return read


def gibibytes(value: object) -> float:
    """An amount of memory: at least 0.1, as with fromager."""
    read = number(value)
    if 0.1 <= read <= 1_000_000:
        return read
    raise ValueError(f"must be from 0.1 to 1000000 GiB, not {value!r}")


def variable_name(value: object) -> str:
    """A name that an environment variable can have; not ``__version__``, which templates read."""
    text = plain_text(value)
    if text == "__version__":
        raise ValueError("is the version that templates read; it cannot be set")
    if _VARIABLE.fullmatch(text):
        return text
    raise ValueError(f"{text!r} cannot name an environment variable")


def variable_text(value: object) -> str:
    """A template for a variable: truth values become 1 or 0, numbers their text; outer blanks go."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int | float):
        return str(value)
    return plain_text(value).strip()


def variable_pattern(value: object) -> str:
    """A variable's name, or the beginning of one and ``*``."""
    text = plain_text(value)
    if _PATTERN.fullmatch(text):
        return text
    raise ValueError(f"{text!r} is no variable's name and no beginning of one with '*'")


def variable_pattern_or_all(value: object) -> str:
    """As ``variable_pattern``, or ``*`` alone."""
    return "*" if value == "*" else variable_pattern(value)


def folder(value: object) -> str:
    """A folder inside the source, in its shortest spelling."""
    path = PurePosixPath(plain_text(value))
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"must be a folder inside the source, not {value!r}")
    return str(path)


def file_name(value: object) -> str:
    """A template for the name of a file, without folders."""
    text = source_template(value)
    if "/" in text or "\\" in text or text in {"", ".", ".."}:
        raise ValueError(f"must be a file's name without folders, not {text!r}")
    return text


def source_template(value: object) -> str:
    """Text with ``${version}`` and ``${canonicalized_name}``; no other name."""
    text = plain_text(value)
    try:
        Template(text).substitute(version="1", canonicalized_name="a")
    except KeyError as error:
        raise ValueError(f"reads {error}; there are ${{version}} and ${{canonicalized_name}}") from None
    except ValueError:
        raise ValueError(f"{text!r} cannot be filled in; write $$ for a dollar sign") from None
    return text


def source_url(value: object) -> str:
    """A template for the URL of a file (http, https, file) or a tree in git, without credentials; or empty."""
    text = _without_credentials(source_template(value))
    if is_git(text):
        _require_git(text)
    elif text and urlsplit(text).scheme not in _SOURCE_SCHEMES:
        raise ValueError(f"must be an http, https, file, git+https, git+http or git+file URL, not {text!r}")
    return text


def _require_git(template: str) -> None:
    try:
        read_git_url(Template(template).substitute(version="1", canonicalized_name="a"))
    except InputError as error:
        raise ValueError(f"cannot be used: {error.what}; {error.next_step}") from None


def server_url(value: object) -> str:
    """The http or https URL of a package index, without credentials."""
    text = _without_credentials(plain_text(value))
    if urlsplit(text).scheme not in {"http", "https"} or not urlsplit(text).hostname:
        raise ValueError(f"must be an http or https URL, not {text!r}")
    return text


def any_url(value: object) -> str:
    """A URL of any scheme, without credentials."""
    text = _without_credentials(plain_text(value))
    if not urlsplit(text).scheme or not text.isprintable() or " " in text:
        raise ValueError(f"must be a URL, not {text!r}")
    return text


def _without_credentials(text: str) -> str:
    """Settings travel to all agents and stand in wheels."""
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise ValueError(f"is no URL: {error}") from None
    if "@" in parts.netloc:
        raise ValueError("holds credentials; put them into netrc")
    return text


def version(value: object) -> Version:
    """A version in any spelling (PEP 440)."""
    text = plain_text(value)
    try:
        return Version(text)
    except InvalidVersion:
        raise ValueError(f"{text!r} is no version") from None


def requirement(value: object) -> str:
    """A requirement (PEP 508), as written."""
    text = plain_text(value)
    try:
        Requirement(text)
    except InvalidRequirement as error:
        raise ValueError(f"{text!r} is no requirement: {str(error).splitlines()[0]}") from None
    return text


def distribution(value: object) -> str:
    """The normalised name of a distribution."""
    text = plain_text(value)
    try:
        return canonicalize_name(text, validate=True)
    except InvalidName:
        raise ValueError(f"{text!r} is no name of a distribution") from None


def purl_type(value: object) -> str:
    """The type of a purl, in lower case."""
    text = plain_text(value).strip().lower()
    if re.fullmatch(r"[a-z][a-z0-9.-]*", text):
        return text
    raise ValueError(f"{text!r} is no type of a purl")


def whole_purl(value: object) -> str:
    """A complete purl."""
    text = plain_text(value).strip()
    read_purl(text)
    return text


def function_name(value: object) -> str:
    """``module:function``, or with a dot as fromager also takes."""
    text = plain_text(value)
    if _CALLABLE.fullmatch(text):
        return text
    raise ValueError(f"must be module:function, not {text!r}")


def label(value: object) -> str:
    """A word that describes a machine."""
    text = plain_text(value)
    if _LABEL.fullmatch(text):
        return text
    raise ValueError(f"{text!r} is no label: letters, digits, '.', '_' and '-'")


def sandbox_level(value: object) -> str:
    """The level that an agent must have; true means any protection at all, which is ``standard``."""
    if isinstance(value, bool):
        return "standard" if value else ""
    if value in {"standard", "none"}:
        return "standard" if value == "standard" else ""
    raise ValueError(f"must be true, false, 'standard' or 'none', not {value!r}")


def expectation(value: object) -> str:
    """What wheels of this distribution must come out as."""
    if value in {"native", "pure", "open"}:
        return str(value)
    raise ValueError(f"must be 'native', 'pure' or 'open', not {value!r}")
