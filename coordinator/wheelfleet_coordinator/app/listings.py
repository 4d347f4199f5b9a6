"""Pages of the upstream index: read once a run, pinned by digest, kept parsed for a while."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.envelope import Aggregate
from wheelfleet_shared.core.keys import pinned_page_key
from wheelfleet_shared.names import RunId, Sha256
from wheelfleet_shared.ports import Blobs

from ..adapters.package_index import FetchedPage
from ..core import decisions
from ..core.candidates import ProjectListing, missing_project, read_page
from ..core.world import World
from .committer import Committer

KEPT: Final = 512


FetchPage = Callable[[str, str], Awaitable[FetchedPage | None]]
"""(index URL, project) → its page, or None where the index has no such project."""


class Listings:
    """``of`` gives what a project listed when the run first looked; later looks see the same."""

    def __init__(self, world: World, committer: Committer, blobs: Blobs, fetch_page: FetchPage) -> None:
        self._world = world
        self._committer = committer
        self._blobs = blobs
        self._fetch_page = fetch_page
        self._parsed: OrderedDict[tuple[str, str], ProjectListing] = OrderedDict()
        self._reading: dict[tuple[RunId, str], asyncio.Future[ProjectListing]] = {}

    async def of(self, run: RunId, project: str, index_url: str = "") -> ProjectListing:
        """The project's listing; of another index than the run's where one is named.

        Raises InfrastructureError when index or store cannot be reached.
        """
        place = (run, project)
        if place not in self._reading:
            task = asyncio.ensure_future(self._read(run, project, index_url))
            self._reading[place] = task
            task.add_done_callback(lambda _: self._reading.pop(place, None))
        return await asyncio.shield(self._reading[place])

    async def _read(self, run: RunId, project: str, index_url: str) -> ProjectListing:
        pinned = self._world.runs[run].listed.get(project)
        if pinned is not None:
            return await self._pinned(pinned)
        submitted = self._world.runs[run].submitted
        of_run = submitted.options.index_url if submitted is not None else ""
        page = await self._fetch_page(index_url or of_run, project)
        event = await self._pin(project, page)
        await self._committer.commit(Aggregate("run", run), lambda world: decisions.listed(world, run, event))
        return await self._pinned(self._world.runs[run].listed[project])

    async def _pin(self, project: str, page: FetchedPage | None) -> e.ProjectListed:
        if page is None:
            return e.ProjectListed(project, "", "", "")
        digest = Sha256(hashlib.sha256(page.content).hexdigest())
        listing = await asyncio.to_thread(read_page, page.content, page.content_type, page.url, project)
        self._keep((digest, project), listing)
        if not self._was_pinned(project, digest) or await self._blobs.head(pinned_page_key(digest)) is None:
            await self._blobs.put(pinned_page_key(digest), page.content, page.content_type)
        return e.ProjectListed(
            project, digest, page.content_type, page.url, listing.has_upload_times, listing.has_hashes
        )

    def _was_pinned(self, project: str, digest: Sha256) -> bool:
        """Whether another run saw the same page, so that it is worth asking the store for it."""
        seen = (run.listed.get(project) for run in self._world.runs.values())
        return any(event is not None and event.page == digest for event in seen)

    async def _pinned(self, pinned: e.ProjectListed) -> ProjectListing:
        if not pinned.page:
            return missing_project(pinned.project)
        known = self._parsed.get((pinned.page, pinned.project))
        if known is not None:
            return known
        content = await self._blobs.get(pinned_page_key(Sha256(pinned.page)))
        listing = await asyncio.to_thread(read_page, content, pinned.content_type, pinned.url, pinned.project)
        self._keep((pinned.page, pinned.project), listing)
        return listing

    def _keep(self, key: tuple[str, str], listing: ProjectListing) -> None:
        self._parsed[key] = listing
        self._parsed.move_to_end(key)
        while len(self._parsed) > KEPT:
            self._parsed.popitem(last=False)
