"""Sdists that lie in a folder already: taken from there, but only as the index promises them."""

import asyncio
import hashlib
from pathlib import Path

import pytest

from cluster import Cluster
from universe import Release, Universe, _content
from virtual_loop import run
from wheelfleet_shared.errors import InfrastructureError, SourceError

TOOL = Release("tool", "1.0")
FOLDER = "file:///out/sdists-repo/downloads"


class UniverseWithFolder(Universe):
    """``folder``: file name → bytes; None stands for a folder that cannot be read."""

    def __init__(self, releases: list[Release], folder: dict[str, bytes] | None) -> None:
        super().__init__(releases)
        self._folder = folder

    async def download(self, url: str, to: Path) -> tuple[str, int]:
        if not url.startswith(FOLDER):
            return await super().download(url, to)
        if self._folder is None:
            raise InfrastructureError("this coordinator reads no files of its own")
        content = self._folder.get(url.rpartition("/")[2])
        if content is None:
            raise SourceError(f"{url} is no file")
        to.write_bytes(content)
        return hashlib.sha256(content).hexdigest(), len(content)


def downloads(folder: dict[str, bytes] | None, **options: object) -> int:
    """How many sources came from upstream in a run that ends well."""

    async def main(loop: asyncio.AbstractEventLoop) -> int:
        universe = UniverseWithFolder([TOOL], folder)
        cluster = Cluster(loop, universe)
        parts = cluster.start_coordinator()
        agent = cluster.start_agent("a1")
        finished = await cluster.finished(parts, await cluster.submit("tool", **options))
        assert finished.outcome == "succeeded"
        assert not agent.done()
        assert parts.state.world.ignored == 0
        return universe.downloads

    return run(main)


def test_a_source_at_hand_is_not_downloaded() -> None:
    assert downloads({"tool-1.0.tar.gz": _content(TOOL)}, source_folders=(FOLDER,)) == 0


@pytest.mark.parametrize("folder", [None, {}, {"tool-1.0.tar.gz": b"other bytes"}])
def test_what_is_not_as_promised_comes_from_upstream(folder: dict[str, bytes] | None) -> None:
    assert downloads(folder, source_folders=(FOLDER,)) == 1


def test_a_folder_that_no_run_names_is_not_read() -> None:
    assert downloads({"tool-1.0.tar.gz": _content(TOOL)}) == 1
