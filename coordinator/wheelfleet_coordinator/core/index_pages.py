"""Pages of the simple index (PEP 503, 592, 629, 658, 691, 700, 714), as pure functions of published files.

Equal files give equal bytes: files are sorted by name, and nothing of the time of rendering is in
a page. The upload time is that of the file's WheelPublished event, so it never moves.
"""

import datetime as dt
import json
from collections.abc import Callable, Iterable
from html import escape
from typing import Final, NamedTuple

from packaging.utils import parse_wheel_filename
from packaging.version import Version

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.file import FileStatus, WheelFile
from wheelfleet_shared.core.keys import PageForm, blob_key, project_page_key, relative_url
from wheelfleet_shared.names import Distribution, IndexName

from .world import World

API_VERSION: Final = "1.1"
JSON_TYPE: Final = "application/vnd.pypi.simple.v1+json"
HTML_TYPE: Final = "application/vnd.pypi.simple.v1+html"
CONTENT_TYPES: Final[dict[PageForm, str]] = {"json": JSON_TYPE, "html": HTML_TYPE}

UrlOf = Callable[[e.FileRef], str]
"""The URL of a file as seen from the page, without a fragment."""


def project_page(index: IndexName, project: Distribution, files: Iterable[WheelFile], form: PageForm) -> bytes:
    """The page of one project, with URLs that hold for its key in the store and wherever that is mounted.

    Files that are not published are left out. Cost: some 4 µs a file.
    """
    page = project_page_key(index, project, form)

    def url_of(file: e.FileRef) -> str:
        return relative_url(page, blob_key(file.sha256, file.file_name))

    shown = _shown(files)
    return _project_json(project, shown, url_of) if form == "json" else _project_html(project, shown, url_of)


def root_page(projects: Iterable[str], form: PageForm) -> bytes:
    """The page that lists the projects; their links are relative and end in a slash."""
    names = sorted(set(projects))
    if form == "json":
        return _json({"meta": {"api-version": API_VERSION}, "projects": [{"name": name} for name in names]})
    return _html("Simple index", [f'<a href="{escape(name)}/">{escape(name)}</a>' for name in names])


def static_project_page(project: str, files: Iterable[WheelFile], url_of: UrlOf) -> bytes:
    """The HTML page for a folder of wheels without their metadata beside them."""
    return _project_html(project, _shown(files), url_of, metadata=False)


class PlainFile(NamedTuple):
    """A wheel of which only this is known. url: as seen from the page, without a fragment; size: bytes."""

    file_name: str
    url: str
    sha256: str
    size: int


def plain_project_page(project: str, files: Iterable[PlainFile], form: PageForm) -> bytes:
    """The page for wheels that lie in a folder; file names must be wheels'."""
    shown = sorted(files)
    if form == "html":
        links = [f'<a href="{escape(file.url)}#sha256={file.sha256}">{escape(file.file_name)}</a>' for file in shown]
        return _html(f"Links for {project}", links)
    entries = [
        {"filename": file.file_name, "url": file.url, "hashes": {"sha256": file.sha256}, "size": file.size}
        for file in shown
    ]
    versions = sorted({parse_wheel_filename(file.file_name)[1] for file in shown})
    meta = {"api-version": API_VERSION}
    return _json({"meta": meta, "name": project, "versions": list(map(str, versions)), "files": entries})


def page_of(world: World, index: IndexName, project: str, form: PageForm) -> bytes | None:
    """A page as the world stands now, the root for an empty project; None where there never was one."""
    if not project:
        projects = {name: files for (owner, name), files in world.projects.items() if owner == index}
        return root_page((name for name, files in projects.items() if files), form) if projects else None
    found = world.projects.get((index, project))
    if found is None:
        return None
    return project_page(index, Distribution(project), [world.files[file] for file in found], form)


def _shown(files: Iterable[WheelFile]) -> list[tuple[WheelFile, e.Accepted]]:
    published = [
        (file, file.accepted) for file in files if file.status is FileStatus.PUBLISHED and file.accepted is not None
    ]
    return sorted(published, key=lambda pair: pair[1].file.file_name)


_Shown = list[tuple[WheelFile, e.Accepted]]


def _project_json(project: str, shown: _Shown, url_of: UrlOf) -> bytes:
    versions = {accepted.node.version for _, accepted in shown}
    page = {
        "meta": {"api-version": API_VERSION},
        "name": project,
        "versions": sorted(versions, key=Version),
        "files": [_file_json(file, accepted, url_of(accepted.file)) for file, accepted in shown],
    }
    return _json(page)


def _file_json(file: WheelFile, accepted: e.Accepted, url: str) -> dict[str, object]:
    entry: dict[str, object] = {
        "filename": accepted.file.file_name,
        "url": url,
        "hashes": {"sha256": accepted.file.sha256},
        "size": accepted.file.size,
        "upload-time": _upload_time(file.published_at),
        "yanked": False if file.yanked is None else file.yanked or True,
        # Not under the older name too: PEP 714 renamed the key since pip 22.3 to 23.0 fail on a table there.
        "core-metadata": {"sha256": accepted.metadata_sha256},
    }
    if accepted.requires_python:
        entry["requires-python"] = accepted.requires_python
    return entry


def _upload_time(at: float) -> str:
    return dt.datetime.fromtimestamp(at, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _json(page: object) -> bytes:
    return json.dumps(page, separators=(",", ":")).encode()


def _project_html(project: str, shown: _Shown, url_of: UrlOf, *, metadata: bool = True) -> bytes:
    links = [_link(file, accepted, url_of(accepted.file), metadata=metadata) for file, accepted in shown]
    return _html(f"Links for {project}", links)


def _link(file: WheelFile, accepted: e.Accepted, url: str, *, metadata: bool) -> str:
    attributes = {"href": f"{url}#sha256={accepted.file.sha256}"}
    if accepted.requires_python:
        attributes["data-requires-python"] = accepted.requires_python
    if metadata:
        attributes["data-core-metadata"] = f"sha256={accepted.metadata_sha256}"
    if file.yanked is not None:
        attributes["data-yanked"] = file.yanked
    text = " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items())
    return f"<a {text}>{escape(accepted.file.file_name)}</a>"


def _html(title: str, links: Iterable[str]) -> bytes:
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta name="pypi:repository-version" content="{API_VERSION}">',
        f"<title>{escape(title)}</title></head><body>",
        f"<h1>{escape(title)}</h1>",
        *(f"{link}<br>" for link in links),
        "</body></html>",
        "",
    ]
    return "\n".join(lines).encode()
