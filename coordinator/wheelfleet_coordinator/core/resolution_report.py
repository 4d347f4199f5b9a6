"""What an index has of a project and what a requirement makes of it, told to people."""

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.version import Version

from .candidates import Candidate, ProjectListing, Release
from .choose_version import Choice
from .constraints import Constraints
from .refusals import Refusal


class Resolution(NamedTuple):
    """What was asked and found. wanted: the versions with files that count; outcome: the choice among them."""

    requirement: Requirement
    listing: ProjectListing
    wanted: tuple[Release, ...]
    outcome: Choice | Refusal


def resolution_lines(found: Resolution, constraints: Constraints) -> Iterator[str]:
    """The report, line by line."""
    name = found.requirement.name
    constraint, origin = constraints.text(name), constraints.origin(name)
    yield f"constraint: {f'{constraint} ({origin})' if constraint else 'none'}"
    yield f"versions that count: {_told(release.version for release in found.wanted)}"
    yield f"most recent release: {_newest_upload(found.wanted)}"
    yield from _outcome_lines(found)
    yield from _index_lines(found.listing)


def _outcome_lines(found: Resolution) -> Iterator[str]:
    outcome = found.outcome
    if isinstance(outcome, Choice):
        yield f"{found.requirement} resolves to {outcome.version}: {outcome.why}"
        yield f"  from {outcome.candidate.file_name}"
        if outcome.excluded:
            yield "newer versions that are kept out:"
    else:
        yield f"{found.requirement} resolves to nothing: {outcome.reason}"
        if outcome.excluded:
            yield "versions that are kept out:"
    yield from (f"  {exclusion}" for exclusion in outcome.excluded)


def _index_lines(listing: ProjectListing) -> Iterator[str]:
    """What the index has, whatever the rules say."""
    files = [file for file in listing.candidates if not file.yanked]
    sdists, wheels = _versions(files, "sdist"), _versions(files, "wheel")
    yield f"on the index, yanked files aside: {_told(sdists | wheels)}"
    for what, versions in (("sdists", sdists - wheels), ("wheels", wheels - sdists)):
        if versions:
            yield f"  only as {what}: {_told(versions)}"
    tags = [tag for file in files for tag in file.tags]
    if tags:
        looks = {"pure" if tag.endswith("-none-any") else "native" for tag in tags}
        yield f"  its wheels are {' and '.join(sorted(looks))}"
    if listing.unreadable:
        yield f"  {listing.unreadable} file names cannot be read"


def _versions(files: Iterable[Candidate], kind: str) -> set[Version]:
    return {Version(file.version) for file in files if file.kind == kind}


def _told(versions: Iterable[Version]) -> str:
    return ", ".join(map(str, sorted(set(versions)))) or "none"


def _newest_upload(releases: Iterable[Release]) -> str:
    """When the last file that counts came, in UTC."""
    times = [file.uploaded for release in releases for file in release.candidates if file.uploaded is not None]
    return dt.datetime.fromtimestamp(max(times), dt.UTC).strftime("%Y-%m-%d %H:%M UTC") if times else "unknown"
