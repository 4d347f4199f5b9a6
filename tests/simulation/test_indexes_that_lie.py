"""An index that answers, and answers nonsense: the run ends and says so, where it would wait for ever."""

import asyncio
from pathlib import Path

import pytest

from cluster import Cluster
from universe import Release, Universe
from virtual_loop import run
from wheelfleet_coordinator.adapters.package_index import FetchedPage
from wheelfleet_shared.errors import IndexUnusable

TOP = Release("top", "1.0", install=("bad", "good"))
RELEASES = [TOP, Release("bad", "1.0"), Release("good", "1.0")]


class Liar(Universe):
    """``page`` stands for the page of ``bad``; without one the index refuses it. no_file: its sdist cannot be had."""

    def __init__(self, page: FetchedPage | None, *, no_file: bool) -> None:
        super().__init__(RELEASES)
        self._page = page
        self._no_file = no_file

    async def fetch_page(self, index_url: str, project: str) -> FetchedPage | None:
        if project != "bad" or self._no_file:
            return await super().fetch_page(index_url, project)
        if self._page is None:
            raise IndexUnusable("the index cannot be asked for bad: 401 Unauthorized", "give credentials")
        return self._page

    async def download(self, url: str, to: Path) -> tuple[str, int]:
        if self._no_file and "/bad/" in url:
            raise IndexUnusable(f"{url} cannot be fetched: it leads nowhere")
        return await super().download(url, to)


@pytest.mark.parametrize(
    ("liar", "said"),
    [
        (Liar(FetchedPage(b"PNG", "image/png", "sim://simple/bad/"), no_file=False), "neither HTML nor JSON"),
        (Liar(FetchedPage(b"{", "application/vnd.pypi.simple.v1+json", "sim://x/"), no_file=False), "cannot be read"),
        (Liar(None, no_file=False), "401 Unauthorized"),
        (Liar(None, no_file=True), "leads nowhere"),
    ],
)
def test_a_run_ends_where_the_index_cannot_be_used(liar: Liar, said: str) -> None:
    async def main(loop: asyncio.AbstractEventLoop) -> None:
        cluster = Cluster(loop, liar)
        parts = cluster.start_coordinator()
        agent = cluster.start_agent("a1")
        run_id = await cluster.submit("top")
        finished = await cluster.finished(parts, run_id)
        assert finished.outcome == "failed"
        world = parts.state.world
        reasons = [
            item.reason for graph in world.graphs.values() for found in graph.unresolvable.values() for item in found
        ]
        reasons += [source.failed.reason for source in world.sources.values() if source.failed is not None]
        assert [reason for reason in reasons if said in reason]
        assert any(node.name == "good" for graph in world.graphs.values() for node in graph.nodes)
        await cluster.kill_coordinator()
        agent.cancel()
        await asyncio.gather(agent, return_exceptions=True)

    run(main)
