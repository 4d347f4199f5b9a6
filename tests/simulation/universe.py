"""A package index that is a value: distributions with their requirements, and what can be got of it."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import msgspec

from wheelfleet_coordinator.adapters.package_index import FetchedPage
from wheelfleet_shared.errors import SourceError


class Release(msgspec.Struct, frozen=True):
    """One version: requirements by the stage that tells them. seconds: that its build takes.

    native: its wheels are for the target that builds them. listed: tags of the wheels that upstream lists.
    erratic: no two of its wheels install the same.
    """

    name: str
    version: str
    static: tuple[str, ...] = ()
    hook: tuple[str, ...] = ()
    install: tuple[str, ...] = ()
    seconds: float = 5.0
    fails: bool = False
    native: bool = False
    listed: tuple[str, ...] = ()
    erratic: bool = False


class Universe:
    """files: URL → bytes of what can be had besides the sdists."""

    def __init__(self, releases: list[Release]) -> None:
        self.files: dict[str, bytes] = {}
        self._releases: dict[str, dict[str, Release]] = {}
        for release in releases:
            self._releases.setdefault(release.name, {})[release.version] = release
        self.downloads = 0

    def names(self) -> list[str]:
        return list(self._releases)

    def release(self, name: str, version: str) -> Release:
        return self._releases[name][version]

    async def fetch_page(self, index_url: str, project: str) -> FetchedPage | None:
        return self.page(project)

    def page(self, project: str) -> FetchedPage | None:
        versions: Mapping[str, Release] = self._releases.get(project, {})
        if not versions:
            return None
        files = [
            {
                "filename": f"{project.replace('-', '_')}-{version}.tar.gz",
                "url": f"sim://files/{project}/{version}",
                "hashes": {"sha256": hashlib.sha256(_content(release)).hexdigest()},
            }
            for version, release in sorted(versions.items())
        ]
        files += [
            {
                "filename": f"{project.replace('-', '_')}-{version}-{tag}.whl",
                "url": f"sim://wheels/{project}",
                "hashes": {},
            }
            for version, release in sorted(versions.items())
            for tag in release.listed
        ]
        page = {"meta": {"api-version": "1.0"}, "name": project, "files": files}
        return FetchedPage(json.dumps(page).encode(), "application/vnd.pypi.simple.v1+json", f"sim://simple/{project}/")

    async def download(self, url: str, to: Path) -> tuple[str, int]:
        content = self.files.get(url) or self._sdist(url)
        self.downloads += 1
        to.write_bytes(content)
        return hashlib.sha256(content).hexdigest(), len(content)

    def _sdist(self, url: str) -> bytes:
        _, _, rest = url.partition("sim://files/")
        name, _, version = rest.partition("/")
        if version not in self._releases.get(name, {}):
            raise SourceError(f"{url} is gone")
        return _content(self.release(name, version))


def _content(release: Release) -> bytes:
    """What stands for the sdist."""
    return msgspec.json.encode(release)


def read_release(content: bytes) -> Release:
    return msgspec.json.decode(content, type=Release)
