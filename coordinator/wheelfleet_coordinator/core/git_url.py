"""Sources in git, as one URL says them: ``git+https://host/path[@ref][?submodules=all]``.

After the question mark: ``submodules=all``, or ``submodule=<path>`` once for each that is wanted; ``ref=`` keeps
the tag or branch that a commit was found under. Not in a fragment, since saved orders hold none.
"""

import re
from typing import Final, NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from wheelfleet_shared.errors import InputError

PREFIX: Final = "git+"
TRANSPORTS: Final = frozenset({"https", "http", "file"})
_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_REF: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/+-]*")


class GitSource(NamedTuple):
    """Where a tree lies. repository: for git itself. ref: tag, branch or commit, empty for the default branch.

    submodules: paths, or None for all of them. asked: the ref that was given where ``ref`` is the commit found for it.
    """

    repository: str
    ref: str = ""
    submodules: tuple[str, ...] | None = ()
    asked: str = ""

    @property
    def pinned(self) -> bool:
        """Whether a full commit is named, so that the tree is the same for ever."""
        return _COMMIT.fullmatch(self.ref) is not None

    @property
    def transport(self) -> str:
        """``https``, ``http`` or ``file``."""
        return urlsplit(self.repository).scheme

    @property
    def url(self) -> str:
        """The one URL that says all this."""
        some = [("submodule", path) for path in self.submodules or ()]
        parts = [("submodules", "all")] if self.submodules is None else some
        query = urlencode([*([("ref", self.asked)] if self.asked else []), *parts])
        ref = f"@{self.ref}" if self.ref else ""
        return f"{PREFIX}{self.repository}{ref}" + (f"?{query}" if query else "")

    def at(self, commit: str) -> "GitSource":
        """The same, pinned to a commit."""
        return self._replace(ref=commit, asked=self.asked or self.ref)


def is_git(url: str) -> bool:
    """Whether the URL names a tree in git, not a file."""
    return url.startswith(PREFIX)


def read_git_url(url: str) -> GitSource:
    """What the URL says; raises InputError for another transport, a ref that is none, unknown parts."""
    parts = urlsplit(url.removeprefix(PREFIX))
    if parts.scheme not in TRANSPORTS:
        what = f"{url}: sources in git come over https, http or file, not {parts.scheme}"
        raise InputError(what, _way_out(parts.scheme))
    path, _, ref = parts.path.rpartition("@") if "@" in parts.path else (parts.path, "", "")
    said = parse_qs(parts.query, keep_blank_values=True)
    if path.strip("/") == "" or parts.fragment or said.keys() - {"ref", "submodule", "submodules"}:
        raise InputError(f"{url} names no tree in git", "write git+https://host/path@ref")
    if (ref and not _is_ref(ref)) or ("@" in parts.path and not ref):
        raise InputError(f"{url}: {ref!r} is no tag, branch or commit", "write git+https://host/path@ref")
    repository = urlunsplit((parts.scheme, parts.netloc, path, "", ""))
    paths = None if said.get("submodules") == ["all"] else tuple(said.get("submodule", ()))
    return GitSource(repository, ref, paths, said.get("ref", [""])[0])


def with_submodules(url: str, *, every: bool, paths: tuple[str, ...]) -> str:
    """The URL with the submodules that settings want, paths before all; as it was where it says itself which."""
    source = read_git_url(url)
    if source.submodules != () or not (every or paths):
        return url
    return source._replace(submodules=paths or None).url


def _is_ref(text: str) -> bool:
    return _REF.fullmatch(text) is not None and ".." not in text and not text.endswith((".lock", "/", "."))


def _way_out(scheme: str) -> str:
    if scheme == "ssh":
        return "coordinators hold no ssh keys: write git+https, with credentials in the coordinator's netrc"
    return "write git+https://host/path@ref"
