"""What a package index lists for one project, read from the bytes of its page.

Pages are PEP 691 JSON or PEP 503 HTML (with PEP 592 yanks, PEP 700 sizes and times, PEP 792 status).
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from email.message import Message
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote, urldefrag, urljoin, urlsplit, urlunsplit

import msgspec
from packaging.utils import BuildTag, NormalizedName, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from wheelfleet_shared.errors import IndexUnusable
from wheelfleet_shared.names import is_sha256

if TYPE_CHECKING:
    from pypi_simple.html import Link

# pypi_simple takes 0.4 s to read, so it is read when the first page is: most commands read none.
JSON_TYPE = "application/vnd.pypi.simple.v1+json"
HTML_TYPES = ("application/vnd.pypi.simple.v1+html", "text/html")
SUPPORTED_MAJOR = 1
LONGEST_NAME, LONGEST_URL, LONGEST_REASON = 255, 8192, 500
"""Characters of a file's name, of its URL, of a Requires-Python; reasons are cut."""
_HASH = re.compile(r"(?:^|&)sha256=([0-9a-fA-F]{64})(?:&|$)")


class Candidate(msgspec.Struct, frozen=True):
    """One sdist or wheel that the index lists.

    version: normalised. url: absolute, without credentials and fragment. sha256: empty where the
    index promises none. size: bytes. uploaded: seconds since the epoch, UTC. yanked_reason: empty
    where none was given. tags and build: of wheels.
    """

    file_name: str
    name: NormalizedName
    version: str
    kind: Literal["sdist", "wheel"]
    url: str
    sha256: str = ""
    size: int | None = None
    requires_python: str = ""
    yanked: bool = False
    yanked_reason: str = ""
    uploaded: float | None = None
    tags: tuple[str, ...] = ()
    build: BuildTag = ()


class Release(msgspec.Struct, frozen=True):
    """All files of one version, in the order of the page."""

    version: Version
    candidates: tuple[Candidate, ...]


class ProjectListing(msgspec.Struct, frozen=True):
    """A project as the index shows it; ``releases`` newest first.

    has_upload_times: some file has one, or there is no file. has_hashes: every file has a sha256.
    status: of PEP 792, or ``missing``, or ``unusable``, then with a hint. unreadable: files whose names
    are neither an sdist's nor a wheel's.
    """

    project: NormalizedName
    releases: tuple[Release, ...] = ()
    has_upload_times: bool = True
    has_hashes: bool = True
    status: str = "active"
    status_reason: str = ""
    status_hint: str = ""
    unreadable: int = 0

    @property
    def candidates(self) -> Iterator[Candidate]:
        """Every file, newest version first."""
        return (candidate for release in self.releases for candidate in release.candidates)


class _File(msgspec.Struct, rename="kebab"):
    """One entry of a page, before its file name is understood."""

    filename: str
    url: str
    hashes: dict[str, str] = {}
    requires_python: str | None = None
    yanked: bool | str | None = False
    size: int | None = None
    upload_time: str | None = None


class _Meta(msgspec.Struct, rename="kebab"):
    api_version: str = "1.0"


class _Status(msgspec.Struct):
    status: str | None = None
    reason: str | None = None


class _Page(msgspec.Struct, rename="kebab"):
    files: list[_File]
    meta: _Meta = msgspec.field(default_factory=_Meta)
    project_status: _Status = msgspec.field(default_factory=_Status)


_decode_page = msgspec.json.Decoder(_Page).decode


def missing_project(project: str) -> ProjectListing:
    """The listing of a project that the index does not know."""
    return ProjectListing(canonicalize_name(project), status="missing")


def unusable_project(project: str, error: IndexUnusable) -> ProjectListing:
    """The listing of a project whose page the index does not give, or gives in a form that cannot be read."""
    return ProjectListing(
        canonicalize_name(project), status="unusable", status_reason=error.what, status_hint=error.next_step
    )


def read_page(content: bytes, content_type: str, url: str, project: str) -> ProjectListing:
    """The listing that a page of an index holds.

    ``url`` is where the page lies; relative links start there. Files of other projects and file
    names that cannot be read are counted, not listed. A quarantined project (PEP 792) lists no files.
    Raises IndexUnusable where the page is no project page. Cost: 40 µs a file of JSON, 150 µs of HTML.
    """
    name = canonicalize_name(project)
    page = _parse(content, content_type, url, name)
    status, reason = page.project_status.status or "active", (page.project_status.reason or "")[:LONGEST_REASON]
    if status == "quarantined":
        return ProjectListing(name, status=status, status_reason=reason)
    reader = _FileReader(name, url)
    found = [candidate for candidate in map(reader.read, page.files) if candidate is not None]
    return ProjectListing(
        project=name,
        releases=_releases(found, reader.versions.values()),
        has_upload_times=not found or any(candidate.uploaded is not None for candidate in found),
        has_hashes=all(candidate.sha256 for candidate in found),
        status=status,
        status_reason=reason,
        unreadable=len(page.files) - len(found),
    )


def without_credentials(url: str) -> str:
    """The URL without user name, password and fragment."""
    if "@" not in url and "#" not in url:
        return url
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))


def candidate_at(url: str, name: NormalizedName, version: str, kind: Literal["sdist", "wheel"]) -> Candidate:
    """A file that is known by its URL alone; its sha256 is that of the fragment, if any."""
    match = _HASH.search(urldefrag(url).fragment)
    return Candidate(
        file_name=_last_component(url),
        name=name,
        version=version,
        kind=kind,
        url=without_credentials(url),
        sha256=match[1].lower() if match else "",
    )


def _parse(content: bytes, content_type: str, url: str, name: NormalizedName) -> _Page:
    header = Message()
    header["Content-Type"] = content_type or HTML_TYPES[-1]
    try:
        if header.get_content_type() == JSON_TYPE:
            return _supported(_decode_page(content))
        if header.get_content_type() in HTML_TYPES:
            return _page_of_html(content, url, header.get_content_charset())
    except (msgspec.MsgspecError, InvalidVersion, ValueError) as error:
        raise IndexUnusable(
            f"the page of {name} at {without_credentials(url)} cannot be read: {error}",
            "see whether --index-url names a package index (PEP 503 or PEP 691)",
        ) from error
    raise IndexUnusable(
        f"the page of {name} at {without_credentials(url)} is {header.get_content_type()}, neither HTML nor JSON",
        "see whether --index-url names a package index (PEP 503 or PEP 691)",
    )


def _supported(page: _Page) -> _Page:
    """The page, unless its version says that older readers must not read it (PEP 629)."""
    if Version(page.meta.api_version).major > SUPPORTED_MAJOR:
        raise ValueError(f"it is of API version {page.meta.api_version}, and {SUPPORTED_MAJOR}.x is understood")
    return page


def _page_of_html(content: bytes, url: str, charset: str | None) -> _Page:
    from pypi_simple import UnsupportedRepoVersionError  # noqa: PLC0415 - see the top
    from pypi_simple.html import RepositoryPage  # noqa: PLC0415 - the same

    try:
        page = RepositoryPage.from_html(content, url, charset)
    except UnsupportedRepoVersionError as error:
        raise ValueError(str(error)) from error
    status = _Status(*(page.pypi_meta.get(key, [None])[0] for key in ("project-status", "project-status-reason")))
    return _Page(files=[_file_of_link(link) for link in page.links], project_status=status)


def _file_of_link(link: "Link") -> _File:
    match = _HASH.search(urldefrag(link.url).fragment)
    yanked = link.attrs.get("data-yanked")
    requires_python = link.attrs.get("data-requires-python")
    return _File(
        filename=_last_component(link.url),
        url=link.url,
        hashes={"sha256": match[1]} if match else {},
        requires_python=None if requires_python is None else str(requires_python),
        yanked=False if yanked is None else str(yanked) or True,
    )


def _last_component(url: str) -> str:
    return unquote(urlsplit(url).path.rpartition("/")[2])


class _FileReader:
    """Reads the entries of one page; remembers the versions it met, so each is parsed once."""

    def __init__(self, project: NormalizedName, base: str) -> None:
        from pypi_simple import parse_filename  # noqa: PLC0415 - see the top

        self._parse_filename = parse_filename
        self.project = project
        self.base = base
        self.versions: dict[str, Version] = {}

    def read(self, file: _File) -> Candidate | None:
        """The candidate, or None where the file is neither an sdist nor a wheel of the project."""
        if _is_too_long(file):
            return None
        try:
            name, version_text, kind = self._parse_filename(file.filename, self.project)
            if canonicalize_name(name) != self.project or self._points_home(file.url):
                return None
            version = str(self._version(version_text))
            if kind == "sdist":
                return self._candidate(file, version)
            if kind == "wheel":
                _, _, build, tags = parse_wheel_filename(file.filename)
                return self._candidate(file, version, build, tuple(sorted(map(str, tags))))
        except ValueError:  # of pypi_simple and packaging: a name or a version that is none
            pass
        return None

    def _points_home(self, url: str) -> bool:
        """Whether a page from the network names a file of this machine."""
        return url.lower().startswith("file:") and not self.base.startswith("file:")

    def _version(self, text: str) -> Version:
        version = self.versions.get(text)
        if version is None:
            version = self.versions[text] = Version(text)
        return version

    def _candidate(
        self, file: _File, version: str, build: BuildTag = (), tags: tuple[str, ...] | None = None
    ) -> Candidate:
        sha256 = file.hashes.get("sha256", "").lower()
        return Candidate(
            file_name=file.filename,
            name=self.project,
            version=version,
            kind="sdist" if tags is None else "wheel",
            url=without_credentials(_absolute(self.base, file.url)),
            sha256=sha256 if is_sha256(sha256) else "",
            size=file.size,
            requires_python=file.requires_python or "",
            yanked=file.yanked not in {None, False},
            yanked_reason=file.yanked[:LONGEST_REASON] if isinstance(file.yanked, str) else "",
            uploaded=_seconds(file.upload_time),
            tags=tags or (),
            build=build,
        )


def _is_too_long(file: _File) -> bool:
    """Whether it is no honest file: all that is told of a choice stands in one event."""
    limits = ((file.filename, LONGEST_NAME), (file.url, LONGEST_URL), (file.requires_python or "", LONGEST_REASON))
    return any(len(text) > limit for text, limit in limits)


def _absolute(base: str, url: str) -> str:
    """The URL as seen from the page; most pages hold absolute ones, and urljoin is slow."""
    return url if url.startswith(("https://", "http://")) and "/." not in url else urljoin(base, url)


def _seconds(stamp: str | None) -> float | None:
    """Seconds since the epoch of an ISO 8601 time; a time without a zone is UTC (PEP 700)."""
    try:
        time = datetime.fromisoformat(stamp or "")
    except ValueError:
        return None
    return (time if time.tzinfo is not None else time.replace(tzinfo=UTC)).timestamp()


def _releases(candidates: list[Candidate], versions: Iterable[Version]) -> tuple[Release, ...]:
    """The candidates grouped by version, newest first; equal versions keep the order of the page."""
    grouped: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        grouped.setdefault(candidate.version, []).append(candidate)
    parsed = {str(version): version for version in versions}
    newest_first = sorted(grouped, key=parsed.__getitem__, reverse=True)
    return tuple(Release(parsed[text], tuple(grouped[text])) for text in newest_first)
