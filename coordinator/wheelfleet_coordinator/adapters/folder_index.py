"""A simple index over the wheels that lie in a folder, as they lie there at each request."""

import asyncio
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from ..core.index_pages import PlainFile, plain_project_page, root_page
from ..core.negotiation import choose_form

FOLDERS: Final = ("downloads", "prebuilt", "build")
"""Where wheels lie below a wheels-repo; of two with one name the first counts."""


class _Wheel(NamedTuple):
    path: Path
    project: str


def folder_index_app(wheels_repo: Path) -> Starlette:
    """An ASGI application: ``/simple/`` and below it a page a project (PEP 503 and 691) and its wheels.

    Files may come and go while it runs. A wheel is read once for its digest, and again when it changes.
    """
    index = _FolderIndex(wheels_repo)
    app = Starlette(
        routes=[
            Route("/", _to_index),
            Route("/simple", _to_index),
            Route("/simple/", index.root),
            Route("/simple/{project}", index.without_slash),
            Route("/simple/{project}/", index.project),
            Route("/simple/{project}/{file_name}", index.file),
        ]
    )
    app.router.redirect_slashes = False
    return app


class _FolderIndex:
    def __init__(self, wheels_repo: Path) -> None:
        self._wheels_repo = wheels_repo

    async def root(self, request: Request) -> Response:
        choice = choose_form(request.headers.get("accept", ""))
        if choice is None:
            return _not_acceptable()
        wheels = await asyncio.to_thread(self._wheels)
        return Response(root_page((wheel.project for wheel in wheels), choice.form), media_type=choice.content_type)

    async def without_slash(self, request: Request) -> Response:
        return RedirectResponse(f"/simple/{canonicalize_name(request.path_params['project'])}/", 301)

    async def project(self, request: Request) -> Response:
        asked = request.path_params["project"]
        name, choice = canonicalize_name(asked), choose_form(request.headers.get("accept", ""))
        if asked != name:
            return RedirectResponse(f"/simple/{name}/", 301)
        if choice is None:
            return _not_acceptable()
        files = await asyncio.to_thread(self._files_of, name)
        if not files:
            return _not_found()
        return Response(plain_project_page(name, files, choice.form), media_type=choice.content_type)

    async def file(self, request: Request) -> Response:
        name, file_name = canonicalize_name(request.path_params["project"]), request.path_params["file_name"]
        wheels = await asyncio.to_thread(self._wheels)
        found = next((wheel for wheel in wheels if (wheel.project, wheel.path.name) == (name, file_name)), None)
        return _not_found() if found is None else FileResponse(found.path, media_type="application/zip")

    def _files_of(self, project: str) -> list[PlainFile]:
        return [_plain(wheel.path) for wheel in self._wheels() if wheel.project == project]

    def _wheels(self) -> list[_Wheel]:
        found: dict[str, _Wheel] = {}
        for folder in FOLDERS:
            for path in sorted((self._wheels_repo / folder).glob("*.whl")):
                project = _project_of(path.name)
                if project:
                    found.setdefault(path.name, _Wheel(path, project))
        return [found[name] for name in sorted(found)]


def _project_of(file_name: str) -> str:
    """The project of a wheel by its name; empty for what is no wheel's name."""
    try:
        return parse_wheel_filename(file_name)[0]
    except InvalidWheelFilename:
        return ""


def _plain(path: Path) -> PlainFile:
    status = path.stat()
    return PlainFile(path.name, path.name, _digest(path, status.st_size, status.st_mtime_ns), status.st_size)


@lru_cache(maxsize=1 << 14)
def _digest(path: Path, size: int, changed: int) -> str:
    """The sha256 of a file; size and time of change tell whether it is still the same."""
    del size, changed
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _not_found() -> Response:
    return PlainTextResponse("not found\n", 404)


def _not_acceptable() -> Response:
    return PlainTextResponse("pages are JSON (PEP 691) or HTML (PEP 503)\n", 406, {"Vary": "Accept"})


async def _to_index(_: Request) -> Response:
    return RedirectResponse("/simple/", 301)
