"""What ``export-sources`` does."""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec
import typer

from wheelfleet_shared.errors import SourceError, WheelfleetError
from wheelfleet_shared.names import RunId, Sha256

from ..core.candidates import ProjectListing, read_page
from ..core.carried_index import Carried, carried, project_html, project_json
from ..core.index_pages import root_page
from ..core.run_sources import RunPage, RunSource
from .connection import Link, http_url_of, linked
from .indexes import open_index
from .places import Places
from .reading import tell
from .run_commands import find_run
from .settings import Settings
from .writing import ListedFile, Listing, ask_coordinator, fetch_listing, fetch_stored, write_outputs

MANIFEST: Final = "SHA256SUMS"
_SAVED: Final = ("graph.json", "build-order.json", "constraints.txt")


class Carrying(msgspec.Struct, frozen=True):
    """What the coordinator says of a run's sources. links: key in the store → signed URL."""

    sources: list[RunSource]
    pages: list[RunPage]
    links: dict[str, str]


def export_run_sources(settings: Settings, run: str, folder: Path) -> int:
    """0 where every source of the run lies in the folder; else 1, with those told that cannot be had."""

    async def work() -> int:
        async with linked(settings) as link:
            return await _export(link, await find_run(link, run), folder)

    return asyncio.run(work())


async def _export(link: Link, run: RunId, folder: Path) -> int:
    url, token = await http_url_of(link), link.credential.http_token
    found = msgspec.json.decode(await ask_coordinator(f"{url}/runs/{run}/sources", token), type=Carrying)
    listing = await fetch_listing(url, token, run)
    files = carried(found.sources)
    here, missing = await _bring(files, found.links, folder, run)
    pages = await _pages(found)
    texts = {path: text for path, text in listing.texts.items() if PurePosixPath(path).name in _SAVED}
    texts |= {path: content.decode() for path, content in _index(here, pages).items()}
    for path, text in texts.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    _write_manifest(folder, [*(item.path for item in here), *texts])
    for line in missing:
        tell(f"missing: {line}")
    typer.echo(f"{len(here)} sources of run {run} in {folder}")
    return 1 if missing else 0


async def _bring(
    files: Iterable[Carried], links: Mapping[str, str], folder: Path, run: RunId
) -> tuple[list[Carried], list[str]]:
    """The files that lie in the folder now, and a line for each that cannot be had."""
    stored = [item for item in files if item.source.key]
    listed = [_listed(item.path, item.source.sha256, item.source.size, links[item.source.key]) for item in stored]
    await write_outputs(Listing(run, {}, listed), _places(folder))
    here, missing = list(stored), list[str]()
    for item in (item for item in files if not item.source.key):
        try:
            here.append(await _download(item, folder))
        except WheelfleetError as error:
            missing.append(f"{item.source.node}: {error.what}")
    return here, missing


async def _download(item: Carried, folder: Path) -> Carried:
    """The file from upstream: its wheel was taken over, so the source never came to the cluster."""
    source = item.source
    if not source.url.startswith(("http://", "https://")) or not source.sha256:
        raise SourceError(f"its wheel was taken over, and nobody promises what lies at {source.url}")
    place = folder / item.path
    place.parent.mkdir(parents=True, exist_ok=True)
    async with open_index("") as index:
        sha256, size = await index.files.download(source.url, place)
    if sha256 != source.sha256:
        place.unlink()
        raise SourceError(f"{source.url} has sha256 {sha256}, promised was {source.sha256}")
    return item._replace(source=msgspec.structs.replace(source, size=size))


async def _pages(found: Carrying) -> dict[str, ProjectListing]:
    """What the index said of each project when the run looked."""
    contents = await fetch_stored({page.sha256: found.links[page.key] for page in found.pages})
    return {
        page.project: read_page(contents[page.sha256], page.content_type, page.url, page.project)
        for page in found.pages
    }


def _index(files: Iterable[Carried], pages: Mapping[str, ProjectListing]) -> dict[str, bytes]:
    """The static index, by path."""
    by_project: dict[str, list[Carried]] = defaultdict(list)
    for item in files:
        by_project[item.source.node.name].append(item)
    found = {"simple/index.html": root_page(by_project, "html"), "simple/index.json": root_page(by_project, "json")}
    for project, items in by_project.items():
        found[f"simple/{project}/index.html"] = project_html(project, items, pages.get(project))
        found[f"simple/{project}/index.json"] = project_json(project, items, pages.get(project))
    return found


def _write_manifest(folder: Path, paths: Iterable[str]) -> None:
    """As ``sha256sum --check`` reads it."""
    lines = [f"{_digest(folder / path)}  {path}" for path in sorted(set(paths))]
    (folder / MANIFEST).write_text("\n".join([*lines, ""]), encoding="utf-8")


def _digest(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _listed(path: str, sha256: str, size: int, url: str) -> ListedFile:
    return ListedFile(path, Sha256(sha256), size, url)


def _places(folder: Path) -> Places:
    return Places(folder / "sdists-repo", folder / "wheels-repo", folder / "work-dir")
