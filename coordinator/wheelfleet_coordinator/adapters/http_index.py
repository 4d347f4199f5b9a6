"""The index over HTTP: pages from memory, wheels by redirect to the store, a run's output folder.

Pages answer below ``/indexes/<collection>/<variant>/simple/``, the place they have in the store, and
below the shorter ``/<collection>/<variant>/simple/``; the short one wants to be mounted at the root
of its host, since pages lead to ``/blobs/`` by relative URLs. Large bytes never pass this process.
"""

import hashlib
import json
import logging
import posixpath
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from packaging.utils import InvalidName, canonicalize_name
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from wheelfleet_shared.core.keys import IMMUTABLE, MUTABLE, PageForm, blob_key, metadata_key, relative_url
from wheelfleet_shared.errors import BlobMissing, InfrastructureError, InputError
from wheelfleet_shared.names import IndexName, RunId, Sha256, is_identifier, is_sha256
from wheelfleet_shared.ports import Blobs

from ..core.negotiation import Choice, choose_form
from ..core.outputs import RunOutputs
from ..core.run_sources import RunSources
from .http_auth import may_read, unauthorized
from .http_watching import Metrics, health_endpoint, metrics_endpoint, no_metrics
from .signed_links import SignedLinks

logger = logging.getLogger(__name__)

Pages = Callable[[IndexName, str, PageForm], bytes | None]
"""The page of a project, the root for an empty one; None where there is none."""
Outputs = Callable[[RunId], RunOutputs]
"""What a run leaves behind; raises InputError for an unknown run."""
Sources = Callable[[RunId], RunSources]
"""What a run was made from; raises InputError for an unknown run."""

_Endpoint = Callable[[Request], Awaitable[Response]]
_METADATA: Final = ".metadata"
_FIXED_FORMS: Final[dict[str, Choice]] = {
    "index.json": Choice("json", "application/vnd.pypi.simple.v1+json"),
    "index.html": Choice("html", "text/html; charset=utf-8"),
}


def index_app(
    pages: Pages,
    outputs: Outputs,
    sources: Sources,
    blobs: Blobs,
    links: SignedLinks,
    *,
    token: str | None,
    operator_token: str,
    metrics: Metrics = no_metrics,
    healthy: Callable[[], bool] = lambda: True,
) -> Starlette:
    """An ASGI application; None as token: pages and wheels are public.

    Outputs and metrics always need the operator's; whether it is ``healthy`` is told to everybody.

    Answers 503 while the store cannot be reached.
    """
    readers = {operator_token} if token is None else {token, operator_token}
    index = IndexEndpoints(pages, blobs, links)
    runs = OutputEndpoints(outputs, sources, links)

    def guarded(endpoint: _Endpoint, *, always: bool = False) -> _Endpoint:
        async def answer(request: Request) -> Response:
            needed = always or token is not None
            allowed = {operator_token} if always else readers
            if needed and not may_read(request.headers.get("authorization", ""), allowed):
                return unauthorized()
            return await endpoint(request)

        return answer

    page_routes: list[BaseRoute] = [
        Route("/{collection}/{variant}/simple", guarded(index.page)),
        Route("/{collection}/{variant}/simple/{rest:path}", guarded(index.page)),
    ]
    routes: list[BaseRoute] = [
        Route("/healthz", health_endpoint(healthy)),
        Route("/metrics", guarded(metrics_endpoint(metrics), always=True)),
        Route("/blobs/{start}/{sha256}/{file_name}", guarded(index.blob)),
        Route("/runs/{run}/sources", guarded(runs.sources, always=True)),
        Route("/runs/{run}/outputs", guarded(runs.listing, always=True)),
        Route("/runs/{run}/outputs/{path:path}", guarded(runs.file, always=True)),
        Mount("/indexes", routes=page_routes),
        *page_routes,
    ]
    handlers = {InfrastructureError: _unavailable, BlobMissing: _missing, InputError: _missing}
    app = Starlette(routes=routes, exception_handlers=handlers)
    app.router.redirect_slashes = False
    return app


class IndexEndpoints:
    """Pages and blobs of all indexes."""

    def __init__(self, pages: Pages, blobs: Blobs, links: SignedLinks) -> None:
        self._pages = pages
        self._blobs = blobs
        self._links = links

    async def page(self, request: Request) -> Response:
        """A page in the form that the client prefers, or a redirect to its proper address."""
        collection, variant = request.path_params["collection"], request.path_params["variant"]
        if not (is_identifier(collection) and is_identifier(variant)):
            return _not_found()
        rest = request.path_params.get("rest")
        project, slash, last = (rest or "").partition("/")
        if rest in _FIXED_FORMS:
            project, slash, last = "", "/", rest
        name = _normalized(project)
        if name is None or last not in {"", *_FIXED_FORMS}:
            return _not_found()
        if rest is None or name != project or (name and not slash):
            root = f"{collection}/{variant}/simple"
            here, there = (root if rest is None else f"{root}/{rest}"), posixpath.join(root, name)
            # Relative, so that it holds behind any prefix.
            return RedirectResponse(f"{relative_url(here, there.rstrip('/'))}/{last}", 301)
        choice = _FIXED_FORMS.get(last) or choose_form(request.headers.get("accept", ""))
        if choice is None:
            return PlainTextResponse("pages are JSON (PEP 691) or HTML (PEP 503)\n", 406, {"Vary": "Accept"})
        content = self._pages(IndexName(collection, variant), name, choice.form)
        return _not_found() if content is None else _page(request, content, choice.content_type)

    async def blob(self, request: Request) -> Response:
        """A redirect to the wheel in the store, the facts of the wheel on HEAD, or its METADATA itself."""
        sha256, file_name = request.path_params["sha256"], request.path_params["file_name"]
        if not is_sha256(sha256) or request.path_params["start"] != sha256[:2]:
            return _not_found()
        key = blob_key(Sha256(sha256), file_name.removesuffix(_METADATA))
        if file_name.endswith(_METADATA):
            content = await self._blobs.get(metadata_key(key))
            return Response(content, 200, {"Cache-Control": IMMUTABLE}, "text/plain; charset=utf-8")
        if request.method != "HEAD":
            return RedirectResponse(self._links.link(key), 302, {"Cache-Control": MUTABLE})
        # A signed URL holds for one method, so HEAD cannot follow the redirect of GET.
        info = await self._blobs.head(key)
        if info is None:
            return _not_found()
        headers = {"Content-Length": str(info.size), "Accept-Ranges": "bytes", "Cache-Control": IMMUTABLE}
        return Response(None, 200, headers | {"ETag": f'"{sha256}"'}, "application/octet-stream")


class OutputEndpoints:
    """The output folders of runs, and what they were made from."""

    def __init__(self, outputs: Outputs, sources: Sources, links: SignedLinks) -> None:
        self._outputs = outputs
        self._sources = sources
        self._links = links

    async def listing(self, request: Request) -> Response:
        """All of it: rendered texts inline, files with digest, size and a signed URL."""
        run = RunId(request.path_params["run"])
        found = self._outputs(run)
        listing = {
            "run": run,
            "conflicts": found.conflicts,
            "entries": msgspec.to_builtins(found.entries),
            "finished_at": found.finished_at,
            "texts": {path: content.decode() for path, content in found.texts.items()},
            "files": [
                {"path": file.path, "sha256": file.sha256, "size": file.size, "url": self._links.link(file.key)}
                for file in found.files
            ],
        }
        return Response(json.dumps(listing), 200, {"Cache-Control": "no-store"}, "application/json")

    async def sources(self, request: Request) -> Response:
        """All sources and pinned pages of a run, and a signed URL for each that lies in the store."""
        found = self._sources(RunId(request.path_params["run"]))
        keys = [source.key for source in found.sources if source.key] + [page.key for page in found.pages]
        told = {**msgspec.to_builtins(found), "links": {key: self._links.link(key) for key in keys}}
        return Response(json.dumps(told), 200, {"Cache-Control": "no-store"}, "application/json")

    async def file(self, request: Request) -> Response:
        """One of it: a rendered text itself, or a redirect to the file in the store."""
        found = self._outputs(RunId(request.path_params["run"]))
        path = request.path_params["path"]
        text = found.texts.get(path)
        if text is not None:
            return _page(request, text, _text_type(path))
        key = next((file.key for file in found.files if file.path == path), None)
        if key is None:
            return _not_found()
        return RedirectResponse(self._links.link(key), 302, {"Cache-Control": MUTABLE})


def _page(request: Request, content: bytes, content_type: str) -> Response:
    etag = f'"{hashlib.sha256(content).hexdigest()}"'
    headers = {"ETag": etag, "Cache-Control": MUTABLE, "Vary": "Accept"}
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    if known & {etag, "*"}:
        return Response(None, 304, headers)
    return Response(content, 200, headers, content_type)


def _normalized(project: str) -> str | None:
    """The normalised name, empty for the root; None for what can be no name."""
    try:
        return canonicalize_name(project, validate=True) if project else ""
    except InvalidName:
        return None


def _text_type(path: str) -> str:
    kinds = {"json": "application/json", "html": "text/html; charset=utf-8"}
    return kinds.get(path.rpartition(".")[2], "text/plain; charset=utf-8")


def _not_found() -> Response:
    return PlainTextResponse("not found\n", 404)


async def _missing(_: Request, error: Exception) -> Response:
    return PlainTextResponse(f"{error}\n", 404)


async def _unavailable(request: Request, error: Exception) -> Response:
    # The reason names hosts that are nobody's business outside.
    logger.warning("no answer for %s: %s", request.url.path, error)
    return PlainTextResponse("the store does not answer; try again\n", 503, {"Retry-After": "5"})
