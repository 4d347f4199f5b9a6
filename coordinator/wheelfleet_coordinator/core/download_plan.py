"""What is to be brought for a saved build order: which file, from where, with which digest, to which folder."""

from typing import Literal, NamedTuple

import msgspec
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import is_sha256

from .candidates import Candidate, ProjectListing, candidate_at

Folder = Literal["sdists-repo/downloads", "wheels-repo/prebuilt", "wheels-repo/downloads"]


class OrderedSource(msgspec.Struct, frozen=True):
    """An entry of a build order, as far as it says where its source or wheel comes from."""

    dist: str
    version: str
    prebuilt: bool = False
    source_url: str = ""
    source_url_type: str = "sdist"
    sha256: str = ""

    @property
    def key(self) -> str:
        """``name==version``, normalised."""
        return f"{canonicalize_name(self.dist)}=={Version(self.version)}"


class Download(NamedTuple):
    """One file to bring. candidate: its name, its URL, and its digest, which is empty where nobody tells one."""

    key: str
    candidate: Candidate
    folder: Folder


class Unavailable(NamedTuple):
    """A file that should be brought and cannot be, and why."""

    key: str
    why: str


def read_ordered_sources(content: bytes, origin: str) -> list[OrderedSource]:
    """The entries of a build-order.json; raises InputError, naming the entry, for what is none."""
    try:
        found = msgspec.json.decode(content, type=list[OrderedSource])
    except msgspec.DecodeError as error:
        raise InputError(f"{origin} is no build order: {error}", "give a work-dir/build-order.json") from error
    for number, entry in enumerate(found, 1):
        _check(entry, f"{origin}, entry {number} ({entry.dist})")
    return found


def skipped(entry: OrderedSource, *, wheels: bool) -> str:
    """Why nothing of the entry itself is brought; empty where something is. wheels: whether these are wanted."""
    if entry.prebuilt:
        return "" if wheels else "it is a prebuilt wheel"
    return "" if entry.source_url_type == "sdist" else f"its source is from a {entry.source_url_type}"


def stated_file(entry: OrderedSource, listing: ProjectListing) -> Download | Unavailable:
    """The sdist or prebuilt wheel that an entry names.

    The digest is the entry's, else what the index says of a file of that name, wherever it lies there.
    """
    kind: Literal["sdist", "wheel"] = "wheel" if entry.prebuilt else "sdist"
    version = Version(entry.version)
    releases = [release for release in listing.releases if release.version == version]
    listed = [file for release in releases for file in release.candidates if file.kind == kind]
    if entry.source_url:
        stated = candidate_at(entry.source_url, canonicalize_name(entry.dist), str(version), kind)
        known = next((file.sha256 for file in listed if file.file_name == stated.file_name), "")
        candidate = msgspec.structs.replace(stated, sha256=entry.sha256 or stated.sha256 or known)
    elif listed:
        candidate = msgspec.structs.replace(listed[0], sha256=entry.sha256 or listed[0].sha256)
    else:
        return Unavailable(entry.key, f"neither the order nor the index tells where its {kind} lies")
    return Download(entry.key, candidate, "wheels-repo/prebuilt" if entry.prebuilt else "sdists-repo/downloads")


def _check(entry: OrderedSource, place: str) -> None:
    try:
        Version(entry.version)
    except InvalidVersion as error:
        raise InputError(f"{place}: {error}", "correct the file") from error
    if entry.sha256 and not is_sha256(entry.sha256):
        raise InputError(f"{place}: {entry.sha256!r} is no sha256", "correct the file, or leave the key out")
