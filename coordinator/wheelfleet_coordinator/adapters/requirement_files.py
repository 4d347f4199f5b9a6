"""Requirement and constraint files, from this machine or by URL, with the files they name."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

import httpx

from wheelfleet_coordinator.core.candidates import without_credentials
from wheelfleet_coordinator.core.requirement_lines import Nested, RequirementLine, logical_lines, parse_line
from wheelfleet_shared.errors import InputError

from .upstream_http import auth_for, status_of, tls_context
from .user_configuration import IndexChoice, credentials_of

Fetch = Callable[[str], bytes]
"""URL → content; raises InputError where it cannot be had."""


DEEPEST = 100
"""Files that name each other in turn."""


class RequirementInputs(NamedTuple):
    """What the files state, in the order in which a reader meets it."""

    requirements: tuple[RequirementLine, ...]
    constraints: tuple[RequirementLine, ...]


def read_requirement_files(
    requirements: Sequence[str], constraints: Sequence[str], *, fetch: Fetch, variables: Mapping[str, str]
) -> RequirementInputs:
    """The lines of the files and of all files they name with ``-r`` and ``-c``.

    A nested file is relative to the file that names it. Raises InputError with file and line where
    a file is missing, names itself, or holds what is not supported.
    """
    reader = _Reader(fetch, variables)
    for reference in requirements:
        reader.read(reference, constraint=False, above=())
    for reference in constraints:
        reader.read(reference, constraint=True, above=())
    return RequirementInputs(tuple(reader.requirements), tuple(reader.constraints))


def fetch_content(choice: IndexChoice, environment: Mapping[str, str]) -> Fetch:
    """A way to get URLs with the certificates, proxy and netrc that the package index is reached with."""

    def fetch(url: str) -> bytes:
        own = credentials_of(url)
        auth = httpx.BasicAuth(*own) if own is not None else auth_for(choice, environment)
        verify = tls_context(choice.ca_bundle)
        try:
            with httpx.Client(auth=auth, verify=verify, proxy=choice.proxy or None, follow_redirects=True) as client:
                response = client.get(url)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise InputError(
                f"{without_credentials(url)} cannot be read: {error}", "see whether it is right"
            ) from error
        if response.status_code != 200:
            raise InputError(f"{without_credentials(url)} cannot be read: {status_of(response)}", "correct the URL")
        return response.content

    return fetch


class _Reader:
    def __init__(self, fetch: Fetch, variables: Mapping[str, str]) -> None:
        self._fetch = fetch
        self._variables = variables
        self.requirements: list[RequirementLine] = []
        self.constraints: list[RequirementLine] = []

    def read(self, reference: str, *, constraint: bool, above: tuple[str, ...]) -> None:
        """Take the lines of one file; ``above`` are the files that led here."""
        if len(above) > DEEPEST:
            raise InputError(
                f"{without_credentials(reference)} is named by {len(above)} files in turn", "put them together"
            )
        if reference in above:
            chain = " → ".join(without_credentials(name) for name in (*above, reference))
            raise InputError(f"requirement files name each other: {chain}", "remove one of these lines")
        name = without_credentials(reference)
        for number, text in logical_lines(_decoded(self._content(reference), name)):
            line = parse_line(text, f"{name}:{number}", self._variables)
            if isinstance(line, Nested):
                nested_constraint = constraint or line.role == "constraints"
                self._nested(line, reference, constraint=nested_constraint, above=(*above, reference))
            else:
                (self.constraints if constraint else self.requirements).append(line)

    def _nested(self, line: Nested, reference: str, *, constraint: bool, above: tuple[str, ...]) -> None:
        try:
            self.read(_beside(line.reference, reference), constraint=constraint, above=above)
        except InputError as error:
            if error.what.startswith(_MISSING):
                raise InputError(f"{line.origin}: {error.what}", error.next_step) from error
            raise

    def _content(self, reference: str) -> bytes:
        if _is_url(reference) and not reference.lower().startswith("file:"):
            return self._fetch(reference)
        path = Path(unquote(urlsplit(reference).path)) if _is_url(reference) else Path(reference)
        try:
            return path.read_bytes()
        except OSError as error:
            raise InputError(f"{_MISSING} {path}: {error.strerror}", "correct its name") from error


_MISSING = "cannot read"


def _beside(nested: str, reference: str) -> str:
    """Where a nested file lies, seen from the file that names it."""
    if _is_url(nested):
        return nested
    return urljoin(reference, nested) if _is_url(reference) else str(Path(reference).parent / nested)


def _is_url(reference: str) -> bool:
    return reference.lower().startswith(("http://", "https://", "file:"))


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is no text in UTF-8: {error.reason}", "save it as UTF-8") from error
