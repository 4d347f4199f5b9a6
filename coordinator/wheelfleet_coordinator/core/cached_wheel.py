"""Which wheel of a cache server serves a planned build, and what the wheel tells of how it was built."""

import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.tags import parse_tag
from packaging.version import Version

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.expectation import fits
from wheelfleet_shared.core.targets import TargetDefinition, supported_tags
from wheelfleet_shared.errors import PolicyError
from wheelfleet_shared.names import ANY_TARGET

from .candidates import Candidate, ProjectListing

_PURE = parse_tag("py3-none-any") | parse_tag("py2.py3-none-any")
LARGEST_LIST = 2**20
"""Bytes of a list of requirements."""
UNREADABLE = (zipfile.BadZipFile, KeyError, RuntimeError, EOFError, UnicodeDecodeError, zlib.error)
"""What is raised of zip files that strangers made: broken, lacking, encrypted, packed in an unknown way, no text."""
LISTS = {kind: f"fromager-build-{kind}-requirements.txt" for kind in ("system", "backend", "sdist")}


def serving_wheel(listing: ProjectListing, plan: e.BuildPlanned, target: TargetDefinition) -> Candidate | None:
    """The wheel of the planned version with the planned build tag and a tag that the target supports.

    A wheel without a build tag counts as one with tag 0, as it does for fromager. For a build that is
    for all targets it has to be pure.
    """
    supported = supported_tags(target) if plan.target != ANY_TARGET else frozenset(_PURE)
    version = Version(plan.node.version)
    found = [
        candidate
        for release in listing.releases
        if release.version == version
        for candidate in release.candidates
        if candidate.kind == "wheel"
        and _tag_text(candidate) in {plan.build_tag, "" if plan.build_tag == "0" else plan.build_tag}
        and fits(frozenset().union(*(parse_tag(tag) for tag in candidate.tags)), supported)
    ]
    return min(found, key=lambda candidate: candidate.file_name, default=None)


def _tag_text(candidate: Candidate) -> str:
    return f"{candidate.build[0]}{candidate.build[1]}" if candidate.build else ""


def build_lists(wheel: Path, folder: str) -> dict[str, tuple[str, ...]]:
    """The build requirements that the wheel's dist-info folder holds, by kind.

    Raises PolicyError where one of the lists is missing or cannot be read: such a wheel does not
    tell what it took to build it, so the graph could not be completed from it.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            sizes = {info.filename: info.file_size for info in archive.infolist()}
            missing = [name for name in LISTS.values() if f"{folder}/{name}" not in sizes]
            if missing:
                raise PolicyError(f"{wheel.name} does not tell its build requirements: it has no {', '.join(missing)}")
            if any(sizes[f"{folder}/{name}"] > LARGEST_LIST for name in LISTS.values()):
                raise PolicyError(f"{wheel.name} tells of more build requirements than anything has")
            texts = {kind: archive.read(f"{folder}/{name}").decode() for kind, name in LISTS.items()}
    except UNREADABLE as error:
        raise PolicyError(f"{wheel.name} is no wheel: {error}", "get the file anew") from error
    return {kind: _requirements(text, LISTS[kind]) for kind, text in texts.items()}


def _requirements(text: str, name: str) -> tuple[str, ...]:
    lines: Iterable[str] = (line.strip() for line in text.splitlines())
    try:
        return tuple(str(Requirement(line)) for line in lines if line)
    except InvalidRequirement as error:
        raise PolicyError(f"{name}: {error}") from error
