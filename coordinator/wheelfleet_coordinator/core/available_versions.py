"""The versions of a project that could be chosen for a requirement, with the files that make them so."""

import datetime as dt
from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec
from packaging.requirements import Requirement
from packaging.specifiers import Specifier
from packaging.version import InvalidVersion, Version

from wheelfleet_shared.core.targets import TargetDefinition

from .candidates import Candidate, ProjectListing, Release
from .constraints import Constraints
from .version_rules import Rules, Sought

DAY: Final = 86400.0


class VersionRow(msgspec.Struct, frozen=True):
    """A version as fromager's JSON and CSV show it, all as texts.

    upload_time: of the newest file that counts, UTC, to the minute; empty where the index tells none.
    cooldown: ``blocked`` as too young or of unknown age, ``available``, or empty where no age is asked for.
    """

    package: str
    version: str
    upload_time: str
    age_days: str
    cooldown: str


def available(
    requirement: Requirement,
    listing: ProjectListing,
    sought: Sought,
    *,
    constraints: Constraints,
    target: TargetDefinition,
) -> list[Release]:
    """The versions that requirement, constraints and target let in, oldest first, each with the files that count."""
    rules = Rules(requirement, constraints, target, as_of=None, sought=sought)
    found = (_fitting(release, rules) for release in reversed(listing.releases))
    return [release for release in found if release.candidates]


def version_rows(
    package: str, releases: Iterable[Release], *, now: float, min_age: float | None = None
) -> list[VersionRow]:
    """A row a version. now: seconds since the epoch. min_age: days that a version must be old; None for any age."""
    return [_row(package, release, now, min_age) for release in releases]


class Pin(NamedTuple):
    """What a constraint stops at. operator: of its only specifier that looks up; version: stated there."""

    specifier: Specifier
    version: Version


def pin_of(constraint: Requirement) -> Pin | None:
    """What the constraint stops at; None where it has no one bound that newer versions could break."""
    stops = [part for part in constraint.specifier if part.operator in {"==", "===", "<", "<=", "~=", "!="}]
    if len(stops) != 1:
        return None
    try:
        version = Version(stops[0].version.removesuffix(".*"))
    except InvalidVersion:
        return None
    blocks = stops[0].operator == "<" and version == Version("0")
    return None if blocks else Pin(stops[0], version)


def updates(pin: Pin, releases: Iterable[Release]) -> list[Version]:
    """The versions beyond the pin: at least as new as what it states, and not let in by it.

    For ``!=`` those newer than the one it leaves out.
    """
    versions = sorted({release.version for release in releases})
    if pin.specifier.operator == "!=":
        return [version for version in versions if version > pin.version]
    return [
        version
        for version in versions
        if version >= pin.version and not pin.specifier.contains(version, prereleases=True)
    ]


def _fitting(release: Release, rules: Rules) -> Release:
    """The release with those files that would do if they were alone."""
    alone = [(file, rules.judge(Release(release.version, (file,)))) for file in release.candidates]
    return Release(release.version, tuple(file for file, found in alone if isinstance(found, Candidate)))


def _row(package: str, release: Release, now: float, min_age: float | None) -> VersionRow:
    uploaded = max((file.uploaded for file in release.candidates if file.uploaded is not None), default=None)
    shown = age = ""
    if uploaded is not None:
        shown = dt.datetime.fromtimestamp(uploaded, dt.UTC).strftime("%Y-%m-%d %H:%M")
        age = str(int((now - uploaded) // DAY))
    return VersionRow(package, str(release.version), shown, age, _cooldown(uploaded, now, min_age))


def _cooldown(uploaded: float | None, now: float, min_age: float | None) -> str:
    if min_age is None:
        return ""
    return "available" if uploaded is not None and uploaded <= now - min_age * DAY else "blocked"
