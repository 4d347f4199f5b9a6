"""A package index in a folder, of the sources that a run was made from: what lies there, and what each page says.

A page holds the versions of the run alone. Upstream's own wheels of these stay on it, since they tell what to
expect of a build; nothing fetches them.
"""

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from packaging.utils import canonicalize_name
from packaging.version import Version

from .candidates import Candidate, ProjectListing
from .index_pages import API_VERSION
from .recipes import archive_name
from .run_sources import RunSource

SDISTS: Final = "sdists-repo/downloads"
PREBUILT: Final = "wheels-repo/prebuilt"


class Carried(NamedTuple):
    """A file of the folder. path: within it. page_name: by which the index lists it, that of an sdist or wheel."""

    source: RunSource
    path: str
    page_name: str


def carried(sources: Iterable[RunSource]) -> list[Carried]:
    """Where each file lies: under its own name, unless another one has that already."""
    taken: dict[str, str] = {}
    found = []
    for source in sources:
        page_name = source.file_name if source.prebuilt else _sdist_name(source)
        folder = PREBUILT if source.prebuilt else SDISTS
        path = f"{folder}/{source.file_name}"
        if taken.setdefault(path, source.sha256) != source.sha256:
            path = f"{folder}/{page_name}"
        found.append(Carried(source, path, page_name))
    return found


def _sdist_name(source: RunSource) -> str:
    return archive_name(source.node, ".zip" if source.file_name.endswith(".zip") else ".tar.gz")


def project_json(project: str, files: Iterable[Carried], listing: ProjectListing | None) -> bytes:
    """The page of a project by PEP 691 and 700, with the times of upload that the run saw."""
    own = list(files)
    entries = [_own_entry(item, listing) for item in own] + [_other_entry(wheel) for wheel in _others(own, listing)]
    versions = sorted({item.source.node.version for item in own}, key=Version)
    page = {"meta": {"api-version": API_VERSION}, "name": canonicalize_name(project), "versions": versions}
    return json.dumps({**page, "files": entries}, indent=1).encode()


def project_html(project: str, files: Iterable[Carried], listing: ProjectListing | None) -> bytes:
    """The page of a project by PEP 503, for what reads no JSON."""
    document = json.loads(project_json(project, files, listing))
    links = [_link(entry) for entry in document["files"]]
    return "\n".join(["<!DOCTYPE html>", f"<title>{escape(project)}</title>", *links, ""]).encode()


def _own_entry(item: Carried, listing: ProjectListing | None) -> dict[str, Any]:
    told = _told(item, listing)
    entry = {
        "filename": item.page_name,
        "url": f"../../{quote(item.path)}",
        "hashes": {"sha256": item.source.sha256},
        "size": item.source.size,
    }
    return entry | _facts(told) if told is not None else entry


def _told(item: Carried, listing: ProjectListing | None) -> Candidate | None:
    """What the index said of the file; of a source from elsewhere, what it said of the version's own."""
    same = _of_version(listing, item.source.node.version)
    kind = "wheel" if item.source.prebuilt else "sdist"
    by_name = [file for file in same if file.file_name == item.source.file_name]
    return next(iter([*by_name, *(file for file in same if file.kind == kind), *same]), None)


def _others(own: Iterable[Carried], listing: ProjectListing | None) -> list[Candidate]:
    items = list(own)
    names = {item.page_name for item in items}
    versions = {item.source.node.version for item in items}
    wheels = (file for version in sorted(versions) for file in _of_version(listing, version) if file.kind == "wheel")
    return [wheel for wheel in wheels if wheel.file_name not in names]


def _of_version(listing: ProjectListing | None, version: str) -> list[Candidate]:
    return [file for file in listing.candidates if file.version == version] if listing is not None else []


def _other_entry(wheel: Candidate) -> dict[str, Any]:
    hashes: Mapping[str, str] = {"sha256": wheel.sha256} if wheel.sha256 else {}
    return {"filename": wheel.file_name, "url": wheel.url, "hashes": hashes} | _facts(wheel)


def _facts(told: Candidate) -> dict[str, Any]:
    facts: dict[str, Any] = {"yanked": told.yanked_reason or told.yanked}
    if told.uploaded is not None:
        facts["upload-time"] = dt.datetime.fromtimestamp(told.uploaded, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if told.requires_python:
        facts["requires-python"] = told.requires_python
    return facts


def _link(entry: Mapping[str, Any]) -> str:
    sha256 = entry["hashes"].get("sha256", "")
    attributes = {"href": entry["url"] + (f"#sha256={sha256}" if sha256 else "")}
    if "requires-python" in entry:
        attributes["data-requires-python"] = entry["requires-python"]
    if entry.get("yanked"):
        attributes["data-yanked"] = entry["yanked"] if isinstance(entry["yanked"], str) else ""
    text = " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items())
    return f"<a {text}>{escape(entry['filename'])}</a><br>"
