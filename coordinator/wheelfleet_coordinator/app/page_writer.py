"""Pages of the index: rendered from the folded state, put into the store, recorded."""

import asyncio
import hashlib
import logging
from collections.abc import Callable
from typing import Final

from packaging.utils import canonicalize_name

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.envelope import Aggregate
from wheelfleet_shared.core.keys import PageForm, project_page_key, root_page_key
from wheelfleet_shared.errors import InfrastructureError
from wheelfleet_shared.names import IndexName, Sha256, page_id
from wheelfleet_shared.ports import Blobs

from ..core.index_pages import page_of
from ..core.walk import Walk
from ..core.world import World
from .committer import Committer

logger = logging.getLogger(__name__)

DEBOUNCE: Final = 0.1
"""Seconds for which further wheels are awaited before pages are written."""
AT_ONCE: Final = 8
PAUSE: Final = 2.0
"""Seconds to wait after a fault of the store."""
FORMS: Final[tuple[PageForm, PageForm]] = ("html", "json")
_CONTENT_TYPES: Final[dict[PageForm, str]] = {
    "html": "application/vnd.pypi.simple.v1+html; charset=utf-8",
    "json": "application/vnd.pypi.simple.v1+json",
}


class PageWriter:
    """Writes what ``walk.stale_pages`` names. Pages are functions of the state, so writing twice is harmless."""

    def __init__(
        self, world: World, walk: Walk, blobs: Blobs, committer: Committer, *, leading: Callable[[], bool]
    ) -> None:
        self._world = world
        self._walk = walk
        self._blobs = blobs
        self._committer = committer
        self._leading = leading
        self._due = asyncio.Event()
        self._roots: dict[IndexName, Sha256] = {}

    def notice(self) -> None:
        """Look at the stale pages soon."""
        if self._walk.stale_pages and self._leading():
            self._due.set()

    async def run(self) -> None:
        """Write pages as they become stale, until cancelled."""
        while True:
            await self._due.wait()
            await asyncio.sleep(DEBOUNCE)
            self._due.clear()
            try:
                await self._write(dict(self._walk.stale_pages))
            except InfrastructureError as error:
                logger.warning("pages cannot be written: %s; trying again", error)
                await asyncio.sleep(PAUSE)
            self.notice()

    async def _write(self, stale: dict[tuple[IndexName, str], int]) -> None:
        limit = asyncio.Semaphore(AT_ONCE)

        async def one(index: IndexName, project: str) -> None:
            async with limit:
                written = await self._write_project(index, project)
            # Not held over the append: the next page need not wait for the log's disk.
            if written is not None:
                await self._committer.commit(Aggregate("page", page_id(index, project)), lambda _: (written,))

        # Roots last: a page that the root names must be there.
        await asyncio.gather(*(one(index, project) for index, project in stale))
        for index in sorted({index for index, _ in stale}):
            await self._write_root(index)

    async def _write_project(self, index: IndexName, project: str) -> e.IndexUpdated | None:
        """Both forms are in the store; what to record of them, or None where there is no such project."""
        through, name = self._world.through, canonicalize_name(project)
        html, json = (page_of(self._world, index, project, form) for form in FORMS)
        if html is None or json is None:
            return None
        files = len(self._world.projects.get((index, project), ()))
        for form, content in zip(FORMS, (html, json), strict=True):
            await self._blobs.put(project_page_key(index, name, form), content, _CONTENT_TYPES[form])
        return e.IndexUpdated(index, project, _sha256(html), _sha256(json), files, through)

    async def _write_root(self, index: IndexName) -> None:
        for form in FORMS:
            content = page_of(self._world, index, "", form)
            if content is None:
                return
            digest = _sha256(content)
            if form == "html" and self._roots.get(index) == digest:
                return
            await self._blobs.put(root_page_key(index, form), content, _CONTENT_TYPES[form])
            if form == "html":
                self._roots[index] = digest


def _sha256(content: bytes) -> Sha256:
    return Sha256(hashlib.sha256(content).hexdigest())
