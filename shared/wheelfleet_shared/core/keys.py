"""Where everything lies in the object store.

Content keys (sources, blobs, bundles, pages) hold the sha256 of what lies under them, so what they
name never changes and writing it twice is harmless. Index keys change; all others are private.
"""

import posixpath
from typing import Literal
from urllib.parse import quote

from ..errors import InputError
from ..names import BuildId, Distribution, IndexName, Sha256

PageForm = Literal["html", "json"]
"""The two forms in which an index page is stored."""

IMMUTABLE = "max-age=31536000, immutable"
"""What caches may do with a content key."""
MUTABLE = "no-cache"
"""What caches may do with any other key: keep it, but ask before each use."""

_CONTENT_FOLDERS = ("sources/", "blobs/", "bundles/", "pages/")


def source_key(sha256: Sha256, file_name: str) -> str:
    """The key of an sdist, the original or the patched one; raises InputError for a hostile name."""
    return _content_key("sources", sha256, file_name)


def blob_key(sha256: Sha256, file_name: str) -> str:
    """The key of a wheel; raises InputError for a hostile name."""
    return _content_key("blobs", sha256, file_name)


def metadata_key(blob: str) -> str:
    """The key of the METADATA beside a wheel, where installers look for it (PEP 658)."""
    return f"{blob}.metadata"


def provenance_key(blob: str) -> str:
    """The key of the attestations beside a wheel (PEP 740)."""
    return f"{blob}.provenance"


def bundle_key(sha256: Sha256) -> str:
    """The key of the settings, patches and constraints that a run was submitted with."""
    return f"bundles/{sha256}"


def pinned_page_key(sha256: Sha256) -> str:
    """The key of an upstream index page as a run saw it."""
    return f"pages/{sha256}"


def log_key(build: BuildId, fence: int) -> str:
    """The key of the whole log of the attempt that held this fence."""
    return f"logs/{build}/{fence}"


def root_page_key(index: IndexName, form: PageForm) -> str:
    """The key of the page that lists the projects of an index."""
    return f"indexes/{index}/simple/index.{form}"


def project_page_key(index: IndexName, project: Distribution, form: PageForm) -> str:
    """The key of the page that lists the files of one project."""
    return f"indexes/{index}/simple/{project}/index.{form}"


def staging_key(incarnation: str, fence: int, file_name: str) -> str:
    """The key of an upload that still has to be checked, on stores that do not check.

    incarnation and fence together name one claim, so two owners never write to the same key.
    Raises InputError for a hostile name.
    """
    return f"staging/{incarnation}-{fence}/{_plain(file_name)}"


def cache_control(key: str) -> str:
    """What caches may do with the blob; the value of its Cache-Control header."""
    return IMMUTABLE if key.startswith(_CONTENT_FOLDERS) else MUTABLE


def relative_url(page: str, target: str) -> str:
    """The URL of ``target`` as seen from the page, both given as keys; percent-encoded.

    It holds wherever the store or a server in front of it is mounted.
    """
    # Leading slashes keep relpath from asking for the process's folder.
    path = posixpath.relpath(f"/{target}", f"/{posixpath.dirname(page)}")
    return quote(path, safe="/")


def _content_key(folder: str, sha256: Sha256, file_name: str) -> str:
    return f"{folder}/{sha256[:2]}/{sha256}/{_plain(file_name)}"


def _plain(file_name: str) -> str:
    """The name as given; the last guard against names that would leave their folder."""
    if not file_name or file_name in {".", ".."} or "/" in file_name or not file_name.isprintable():
        raise InputError(f"{file_name!r} cannot be the name of a file in the object store")
    return file_name
