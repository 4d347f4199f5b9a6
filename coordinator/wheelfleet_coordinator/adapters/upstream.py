"""All package indexes that runs name, each with the way to it that this machine's configuration gives."""

import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from .package_index import FetchedPage, HttpPackageIndex
from .user_configuration import choose_index


class Upstream:
    """Opens an index when a run first names it. Credentials come from the configuration here, never from a run."""

    def __init__(self, environment: Mapping[str, str], *, files: bool = False) -> None:
        self._environment = environment
        self._files = files
        self._open: dict[str, HttpPackageIndex] = {}

    async def close(self) -> None:
        """End all connections."""
        for index in self._open.values():
            await index.__aexit__(None, None, None)
        self._open.clear()

    async def fetch_page(self, index_url: str, project: str) -> FetchedPage | None:
        """The page of a project on an index; see ``HttpPackageIndex.fetch_page``."""
        return await self._index(index_url).fetch_page(index_url, project)

    async def download(self, url: str, to: Path) -> tuple[str, int]:
        """The file, fetched as the index of its own origin would be; see ``HttpPackageIndex.download``."""
        origin = urlsplit(url)[:2]
        same = next((known for known in self._open if urlsplit(known)[:2] == origin), None)
        return await self._index(same or next(iter(self._open), url)).download(url, to)

    def _index(self, index_url: str) -> HttpPackageIndex:
        if index_url not in self._open:
            choice = choose_index(index_url or None, self._environment, prefix=Path(sys.prefix), root=Path("/"))
            self._open[index_url] = HttpPackageIndex(choice, self._environment, files=self._files)
        return self._open[index_url]
