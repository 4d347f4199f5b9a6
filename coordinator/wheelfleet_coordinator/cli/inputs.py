"""What a bootstrap is given, read and checked before anything is queued."""

import asyncio
import datetime as dt
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.bundle import RunInputs
from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import IndexName, is_identifier

from ..adapters.package_index import HttpPackageIndex
from ..adapters.requirement_files import Fetch, fetch_content, read_requirement_files
from ..adapters.user_configuration import IndexChoice, choose_index, credentials_of
from ..core.candidates import read_page, without_credentials
from ..core.constraints import Constraints
from ..core.previous_graph import PreviousGraph
from ..core.requirement_lines import RequirementLine, parse_requirement
from .customising import checked_customisation
from .places import Places, places_of
from .settings import Settings


class Asked(msgspec.Struct, frozen=True):
    """What stands after the command."""

    requirements: tuple[str, ...]
    requirement_files: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    previous: str = ""
    cache_servers: tuple[str, ...] = ()
    index_urls: tuple[str, ...] = ()
    as_of: str = ""
    collection: str = "main"
    sdist_only: bool = False
    skip_constraints: bool = False
    multiple_versions: bool = False
    test_mode: bool = False
    force: bool = False
    fail_fast: bool = False
    max_release_age: int = 0
    replace: bool = False
    index_only: bool = False


class Checked(NamedTuple):
    """What is to be queued. into: the index that wheels go to. choice: the package index, and how it was found."""

    requirements: tuple[str, ...]
    options: e.RunOptions
    inputs: RunInputs
    into: IndexName
    choice: IndexChoice
    places: Places


def check(asked: Asked, settings: Settings) -> Checked:
    """Everything read and found usable; raises InputError for the first thing that is not. Queues nothing."""
    if len(asked.index_urls) > 1:
        raise InputError("--index-url is given twice", "give the one index to take sources from; others are not read")
    if asked.test_mode and asked.sdist_only:
        raise InputError("--test-mode does not go with --sdist-only", "leave one of them out: it tries out full builds")
    for url in asked.cache_servers:
        require_url(url)
    places = places_of(settings)
    into = index_name(asked.collection, settings.variant)
    option = asked.index_urls[0] if asked.index_urls else None
    choice = choose_index(option, os.environ, prefix=Path(sys.prefix), root=Path("/"))
    require_no_credentials(option or "", "--index-url")
    fetch = fetch_content(choice, os.environ)
    given = [parse_requirement(text, "the command line") for text in asked.requirements]
    files = read_requirement_files(
        asked.requirement_files, (*settings.constraints, *asked.constraints), fetch=fetch, variables=os.environ
    )
    lines = _applying((*given, *files.requirements))
    # The coordinator judges them again, with the markers of the target itself.
    Constraints.merge(files.constraints, _environment())
    previous = _previous(asked.previous, fetch)
    customisation = checked_customisation(settings)
    options = e.RunOptions(
        sdist_only=asked.sdist_only,
        # One file cannot name several versions of a distribution.
        skip_constraints=asked.skip_constraints or asked.multiple_versions,
        multiple_versions=asked.multiple_versions,
        test_mode=asked.test_mode,
        force=asked.force,
        fail_fast=asked.fail_fast,
        as_of=_as_of(asked.as_of, choice, lines),
        index_url=choice.url,
        index_origin=choice.origin,
        cache_servers=tuple(without_credentials(url) for url in asked.cache_servers),
        cores_per_build=settings.jobs or 0,
        min_release_age=settings.min_release_age,
        max_release_age=asked.max_release_age,
        replace=asked.replace,
        index_only=asked.index_only,
        hashes={line.text: line.hashes for line in lines if line.hashes},
    )
    constraints = tuple((line.text, line.origin) for line in files.constraints)
    requirements = tuple(dict.fromkeys(line.text for line in lines))
    return Checked(
        requirements, options, RunInputs(constraints, previous, customisation=customisation), into, choice, places
    )


def require_url(server: str) -> None:
    """Raises InputError where a cache server is not given by its URL."""
    if "://" not in server:
        raise InputError(
            f"-c {server}: a cache server is given by its URL",
            "constraints go before `bootstrap`, or by --constraints-file; a folder is written file:///…",
        )
    require_no_credentials(server, "-c")


def require_no_credentials(url: str, option: str) -> None:
    """Raises InputError for a URL with credentials, which go into no event and so reach no coordinator."""
    if credentials_of(url) is not None:
        raise InputError(
            f"{option} holds credentials, which do not go with a run",
            "put them into netrc, or into the index URL of pip's configuration, where the coordinator runs, and give"
            " the URL without them; the embedded one reads them at its start: `wheelfleet down`",
        )


def _environment() -> dict[str, str]:
    return {name: str(value) for name, value in default_environment().items()}


def _applying(lines: Sequence[RequirementLine]) -> Sequence[RequirementLine]:
    if not lines:
        raise InputError("nothing to bootstrap", "name requirements, or files of them with -r")
    return lines


def index_name(collection: str, variant: str) -> IndexName:
    """The index of a collection and a variant; raises InputError where they cannot name one."""
    for what, name in (("collection", collection), ("variant", variant)):
        if not is_identifier(name):
            raise InputError(f"{name!r} cannot name a {what}", "use a-z, 0-9, _ and -, 48 characters at most")
    return IndexName(collection, variant)


def _previous(reference: str, fetch: Fetch) -> str:
    if not reference:
        return ""
    content = fetch(reference) if "://" in reference else _read(Path(reference))
    name = without_credentials(reference) if "://" in reference else reference
    PreviousGraph.parse(content, name)
    return content.decode()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}", "correct its name") from error


def _as_of(text: str, choice: IndexChoice, lines: Sequence[RequirementLine]) -> float | None:
    if not text:
        return None
    moment = parse_time(text)
    project = canonicalize_name(Requirement(lines[0].text).name)
    if not asyncio.run(_tells_upload_times(choice, project)):
        raise InputError(
            f"--as-of cannot hold: {choice.url} does not tell when files were uploaded",
            "pin versions with -c or -p instead, or take an index with upload times (PEP 700)",
        )
    return moment


def parse_time(text: str) -> float:
    """Seconds since the epoch of an ISO 8601 time (UTC where it names no zone) or of ``@seconds``.

    Raises InputError for anything else.
    """
    try:
        if text.startswith("@"):
            return float(text[1:])
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(
            f"--as-of {text!r} is no time", "write 2026-05-01, 2026-05-01T12:00Z or @1777593600"
        ) from error
    zoned = moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)
    return zoned.timestamp()


async def require_index(checked: Checked) -> None:
    """Raises InfrastructureError where the package index does not answer for the first requirement.

    For the embedded cluster, which asks from this machine too: a run would wait for the index for ever.
    """
    project = canonicalize_name(Requirement(checked.requirements[0]).name)
    async with HttpPackageIndex(checked.choice, os.environ, files=True) as index:
        await index.fetch_page(checked.choice.url, project)


async def _tells_upload_times(choice: IndexChoice, project: str) -> bool:
    """Whether the index tells of one project when its files were uploaded; an unknown project hinders nothing."""
    async with HttpPackageIndex(choice, os.environ, files=True) as index:
        page = await index.fetch_page(choice.url, project)
    if page is None:
        return True
    return read_page(page.content, page.content_type, page.url, project).has_upload_times
