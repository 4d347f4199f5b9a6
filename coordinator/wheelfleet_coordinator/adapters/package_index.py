"""The upstream package index over HTTP, or in a folder (``file:``), by PEP 503 and PEP 691."""

import asyncio
import contextlib
import hashlib
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from html import escape
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple, Protocol, Self
from urllib.parse import quote, unquote, urlsplit

import httpx
from packaging.utils import canonicalize_name

from wheelfleet_coordinator.core.candidates import HTML_TYPES, JSON_TYPE, without_credentials
from wheelfleet_shared.errors import IndexUnusable, SourceError, WheelfleetError

from .upstream_http import Sleep, check_transient, open_client, status_of, with_retries
from .user_configuration import IndexChoice

ACCEPT = f"{JSON_TYPE}, {HTML_TYPES[0]};q=0.2, {HTML_TYPES[1]};q=0.01"
LARGEST_PAGE = 128 * 2**20
LARGEST_FILE = 4 * 2**30
_CHUNK = 2**20


class FetchedPage(NamedTuple):
    """A project's page as it came. url: where it lay in the end, without credentials and query."""

    content: bytes
    content_type: str
    url: str


class PackageIndex(Protocol):
    """Where distributions come from. Any method may raise InfrastructureError, which means *unknown*."""

    async def fetch_page(self, index_url: str, project: str) -> FetchedPage | None:
        """The page of a project, or None where the index says that it has no such project."""

    async def download(self, url: str, to: Path) -> tuple[str, int]:
        """The file lies at ``to``; its sha256 and size in bytes. Raises SourceError where it is gone."""


class HttpPackageIndex:
    """Use as ``async with HttpPackageIndex(choice, environment) as index``.

    choice: the way to the index; its credentials go to its own origin only. files: whether ``file:``
    URLs may be read, which is right where everybody who starts runs may read this machine's files.
    """

    def __init__(
        self,
        choice: IndexChoice,
        environment: Mapping[str, str],
        *,
        files: bool = False,
        sleep: Sleep = asyncio.sleep,
        largest_file: int = LARGEST_FILE,
    ) -> None:
        self._client = open_client(choice, environment)
        self._files = files
        self._sleep = sleep
        self._largest_file = largest_file

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def fetch_page(self, index_url: str, project: str) -> FetchedPage | None:
        """The page of a project, or None where the index says that it has no such project.

        Raises InfrastructureError where it cannot be had, naming the index: no answer after five
        tries; IndexUnusable where more tries are no use: credentials missing or refused, an answer that is none.
        """
        url = f"{index_url.rstrip('/')}/{canonicalize_name(project)}/"
        if url.startswith("file:"):
            return await asyncio.to_thread(self._page_of_folder, url, index_url)
        what = f"the package index at {without_credentials(index_url)} cannot be asked for {project}"
        return await with_retries(lambda: self._page(url, what), what, sleep=self._sleep)

    async def download(self, url: str, to: Path) -> tuple[str, int]:
        """The file lies at ``to``, whole or not at all; its sha256 and size in bytes.

        Raises SourceError where the server says that it is gone or where it is too large, and
        InfrastructureError where it cannot be had now. Memory: one chunk.
        """
        if url.startswith("file:"):
            return await asyncio.to_thread(self._copy, url, to)
        what = f"{without_credentials(url)} cannot be fetched"
        return await with_retries(lambda: self._download(url, to, what), what, sleep=self._sleep)

    async def _page(self, url: str, what: str) -> FetchedPage | None:
        async with self._client.stream("GET", url, headers={"Accept": ACCEPT}) as response:
            if response.status_code in {404, 410}:
                return None
            _check(response, what)
            too_large = IndexUnusable(f"{what}: the page is larger than {LARGEST_PAGE} bytes")
            content = b"".join([chunk async for chunk in _limited(response.aiter_bytes(), LARGEST_PAGE, too_large)])
            final = response.url.copy_with(userinfo=b"", query=None, fragment=None)
            return FetchedPage(content, response.headers.get("Content-Type", ""), str(final))

    async def _download(self, url: str, to: Path, what: str) -> tuple[str, int]:
        # Identity and raw bytes: some servers declare the compression of an archive as one of the transfer.
        async with self._client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as response:
            if response.status_code in {404, 410}:
                raise SourceError(f"{what}: {status_of(response)}", "see whether the index still lists it")
            _check(response, what)
            too_large = SourceError(f"{what}: it is larger than {self._largest_file} bytes", "look at it by hand")
            with _new_file(to) as target:
                hashed, size = hashlib.sha256(), 0
                async for chunk in _limited(response.aiter_raw(_CHUNK), self._largest_file, too_large):
                    size += len(chunk)
                    await asyncio.to_thread(_take, target, hashed, chunk)
            return hashed.hexdigest(), size

    def _page_of_folder(self, url: str, index_url: str) -> FetchedPage | None:
        """The page that lies in the folder, else one of the files in it, as a plain file server lists them."""
        folder = self._path_of(url)
        for name, content_type in (("index.json", JSON_TYPE), ("index.html", HTML_TYPES[1])):
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                return FetchedPage((folder / name).read_bytes(), content_type, url)
        if not self._path_of(index_url).is_dir():
            raise IndexUnusable(f"the package index {index_url} is no folder", "correct --index-url")
        return FetchedPage(_listed(folder), HTML_TYPES[1], url) if folder.is_dir() else None

    def _copy(self, url: str, to: Path) -> tuple[str, int]:
        source = self._path_of(url)
        hashed, size = hashlib.sha256(), 0
        try:
            with source.open("rb") as opened, _new_file(to) as target:
                while chunk := opened.read(_CHUNK):
                    size += len(chunk)
                    _take(target, hashed, chunk)
        except (FileNotFoundError, IsADirectoryError) as error:
            raise SourceError(f"{source} is no file", "see whether the index still lists it") from error
        return hashed.hexdigest(), size

    def _path_of(self, url: str) -> Path:
        if not self._files:
            raise IndexUnusable(
                f"{url} lies on one machine, and this coordinator reads no files of its own",
                "serve the index over http, or use the embedded cluster",
            )
        return Path(unquote(urlsplit(url).path))


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...


def _take(target: IO[bytes], hashed: _Hash, chunk: bytes) -> None:
    hashed.update(chunk)
    target.write(chunk)


def _check(response: httpx.Response, what: str) -> None:
    """Raise unless the answer brings what was asked for; IndexUnusable where another try would not, either."""
    check_transient(response)
    if response.status_code in {401, 403}:
        raise IndexUnusable(
            f"{what}: {status_of(response)}",
            "give credentials in the index URL of pip's configuration or in netrc, where the coordinator runs, and"
            " start it anew (`wheelfleet down` for the embedded one); some stores say 403 for 404",
        )
    if response.status_code != 200:
        raise IndexUnusable(f"{what}: {status_of(response)}", "see whether --index-url is right")


async def _limited(chunks: AsyncIterator[bytes], most: int, too_large: WheelfleetError) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > most:
            raise too_large
        yield chunk


@contextlib.contextmanager
def _new_file(to: Path) -> Iterator[IO[bytes]]:
    """Write beside ``to`` and move there at the end; nothing is left where writing fails."""
    with tempfile.NamedTemporaryFile(dir=to.parent, prefix=f".{to.name}.", delete=False) as target:
        try:
            yield target
            target.flush()
            Path(target.name).replace(to)
        except BaseException:
            Path(target.name).unlink(missing_ok=True)
            raise


def _listed(folder: Path) -> bytes:
    """Links to the files of a folder, by name; fromager leaves its ``simple/`` folders like this."""
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    return "".join(f'<a href="{quote(name)}">{escape(name)}</a>\n' for name in names).encode()
