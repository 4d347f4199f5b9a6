"""A package index on loopback, of sdists made from the trees of ``tests/packages``; every request is kept."""

import contextlib
import gzip
import hashlib
import html
import io
import json
import sys
import tarfile
import threading
import tomllib
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename

TREES = Path(__file__).parents[1] / "packages"
EPOCH = 1_700_000_000
_JSON = "application/vnd.pypi.simple.v1+json"
_HTML = "text/html; charset=utf-8"


class Served(NamedTuple):
    """A file of the index. sha256: what the page says of it, which need not be true. uploaded: ISO 8601."""

    name: str
    data: bytes
    sha256: str
    uploaded: str


class _Server(ThreadingHTTPServer):
    """Says nothing of clients that were killed."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class LocalIndex:
    """Serves while the block of ``local_index`` lasts.

    hashes: whether pages tell any. json: whether PEP 691 is spoken, or PEP 503 alone.
    """

    def __init__(self, *, hashes: bool = True, json: bool = True) -> None:
        self._hashes, self._json = hashes, json
        self._projects: dict[str, list[Served]] = {}
        self._files: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.server = _Server(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/simple"

    def add(self, name: str, data: bytes, sha256: str = "", uploaded: str = "2024-01-01T00:00:00Z") -> None:
        """The sdist or wheel is listed under its project, with a digest that need not be its own."""
        parse = parse_wheel_filename if name.endswith(".whl") else parse_sdist_filename
        project = canonicalize_name(parse(name)[0])
        served = Served(name, data, sha256 or hashlib.sha256(data).hexdigest(), uploaded)
        self._projects.setdefault(project, []).append(served)

    def add_tree(self, tree: str, members: Mapping[str, str] = MappingProxyType({})) -> None:
        """The tree of that name is listed as an sdist; ``members``: further files of it, path → text."""
        self.add(*pack(TREES / tree, members))

    def add_file(self, path: str, data: bytes) -> None:
        """The bytes lie under the path, outside of the index."""
        self._files[f"/{path}"] = data

    def answer(self, path: str, accept: str) -> tuple[str, bytes] | None:
        """Content type and content under a path; None for nothing there. The request is kept."""
        self.requests.append(path)
        if path in self._files:
            return "application/octet-stream", self._files[path]
        match path.strip("/").split("/"):
            case ["simple", project] if project in self._projects:
                as_json = self._json and _JSON in accept
                return (_JSON, self._json_page(project)) if as_json else (_HTML, self._html_page(project))
            case ["files", project, name]:
                return next(
                    (("application/gzip", file.data) for file in self._projects.get(project, ()) if file.name == name),
                    None,
                )
        return None

    def _json_page(self, project: str) -> bytes:
        files = [
            {
                "filename": file.name,
                "url": f"../../files/{project}/{file.name}",
                "hashes": {"sha256": file.sha256} if self._hashes else {},
                "size": len(file.data),
                "upload-time": file.uploaded,
            }
            for file in self._projects[project]
        ]
        page = {"meta": {"api-version": "1.1"}, "name": project, "versions": [], "files": files}
        return json.dumps(page).encode()

    def _html_page(self, project: str) -> bytes:
        links = "".join(self._link(project, file) for file in self._projects[project])
        return f"<!DOCTYPE html><html><body>\n{links}</body></html>".encode()

    def _link(self, project: str, file: Served) -> str:
        fragment = f"#sha256={file.sha256}" if self._hashes else ""
        return f'<a href="../../files/{project}/{html.escape(file.name)}{fragment}">{html.escape(file.name)}</a>\n'

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        index = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                found = index.answer(self.path, self.headers.get("Accept", ""))
                kind, content = found or ("text/plain", b"nothing here")
                self.send_response(200 if found else 404)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler


@contextlib.contextmanager
def local_index(*, hashes: bool = True, json: bool = True) -> Iterator[LocalIndex]:
    """An empty index that serves as long as the block lasts."""
    index = LocalIndex(hashes=hashes, json=json)
    thread = threading.Thread(target=index.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield index
    finally:
        index.server.shutdown()
        thread.join()
        index.server.server_close()


def pack(tree: Path, members: Mapping[str, str] = MappingProxyType({})) -> tuple[str, bytes]:
    """File name and bytes of the sdist of a tree; the same bytes each time."""
    project = tomllib.loads((tree / "pyproject.toml").read_text())["project"]
    root = f"{canonicalize_name(project['name']).replace('-', '_')}-{project['version']}"
    own = {
        path.relative_to(tree).as_posix(): path.read_bytes()
        for path in sorted(tree.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    info = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    every = own | {"PKG-INFO": info.encode()} | {path: text.encode() for path, text in members.items()}
    return f"{root}.tar.gz", archive({f"{root}/{path}": data for path, data in every.items()})


def archive(members: Mapping[str, bytes]) -> bytes:
    """A gzipped tar of these members, whatever their names are; the same bytes each time."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, data in sorted(members.items()):
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(data), EPOCH
            tar.addfile(member, io.BytesIO(data))
    return gzip.compress(stream.getvalue(), mtime=0)
