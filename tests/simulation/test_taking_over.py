"""Wheels of a cache server: published without a build, and their requirements walked all the same."""

import asyncio
import hashlib
import io
import json
import zipfile
from pathlib import Path

import pytest

from cluster import Cluster
from sim_builder import _digest, wheel_bytes
from universe import Release, Universe
from virtual_loop import run
from wheelfleet_coordinator.adapters.package_index import FetchedPage

BASE = Release("base", "1.0")
TOOL = Release("tool", "2.0", static=("base",), hook=("base>=1",), install=("base",))
CACHE = "sim://cache"


def cached(release: Release, *, told: bool) -> bytes:
    """The wheel as fromager would have left it on a server, with or without its lists of build requirements."""
    source = zipfile.ZipFile(io.BytesIO(wheel_bytes(release)))
    folder = f"{release.name}-{release.version}.dist-info"
    added = {
        f"{folder}/fromager-build-system-requirements.txt": "".join(f"{text}\n" for text in release.static),
        f"{folder}/fromager-build-backend-requirements.txt": "".join(f"{text}\n" for text in release.hook),
        f"{folder}/fromager-build-sdist-requirements.txt": "".join(f"{text}\n" for text in release.hook),
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as sink:
        for info in source.infolist():
            data = source.read(info)
            if info.filename.endswith("RECORD") and told:
                data += "".join(f"{name},sha256={_digest(text)},{len(text)}\n" for name, text in added.items()).encode()
            sink.writestr(info, data)
        for name, text in added.items() if told else ():
            sink.writestr(name, text)
    return stream.getvalue()


class CacheUniverse(Universe):
    def __init__(self, releases: list[Release], wheels: dict[str, bytes]) -> None:
        super().__init__(releases)
        self._wheels = wheels

    async def fetch_page(self, index_url: str, project: str) -> FetchedPage | None:
        if index_url != CACHE:
            return await super().fetch_page(index_url, project)
        content = self._wheels.get(project)
        if content is None:
            return None
        release = next(iter(self._releases[project].values()))
        name = f"{project}-{release.version}-0-py3-none-any.whl"
        files = [
            {"filename": name, "url": f"{CACHE}/{project}", "hashes": {"sha256": hashlib.sha256(content).hexdigest()}}
        ]
        page = {"meta": {"api-version": "1.0"}, "name": project, "files": files}
        return FetchedPage(json.dumps(page).encode(), "application/vnd.pypi.simple.v1+json", f"{CACHE}/{project}/")

    async def download(self, url: str, to: Path) -> tuple[str, int]:
        if not url.startswith(CACHE):
            return await super().download(url, to)
        content = self._wheels[url.rpartition("/")[2]]
        to.write_bytes(content)
        return hashlib.sha256(content).hexdigest(), len(content)


def bootstrap(wheels: dict[str, bytes]) -> Cluster:
    async def main(loop: asyncio.AbstractEventLoop) -> Cluster:
        cluster = Cluster(loop, CacheUniverse([BASE, TOOL], wheels))
        parts = cluster.start_coordinator()
        agent = cluster.start_agent("a1")
        run_id = await cluster.submit("tool", cache_servers=(CACHE,))
        finished = await cluster.finished(parts, run_id)
        assert finished.outcome == "succeeded"
        graph = next(iter(parts.state.world.graphs.values()))
        edges = sorted(
            (str(node), edge.kind, edge.requirement) for item in graph.nodes.values() for node, edge in item.arcs_in
        )
        assert edges == [
            ("None", "toplevel", "tool"),
            ("tool==2.0", "build-backend", "base>=1"),
            ("tool==2.0", "build-sdist", "base>=1"),
            ("tool==2.0", "build-system", "base"),
            ("tool==2.0", "install", "base"),
        ]
        await cluster.kill_coordinator()
        agent.cancel()
        await asyncio.gather(agent, return_exceptions=True)
        return cluster

    return run(main)


@pytest.mark.rule("taken-2")
def test_a_cached_wheel_is_not_built_and_its_source_not_fetched() -> None:
    cluster = bootstrap({"base": cached(BASE, told=True), "tool": cached(TOOL, told=True)})
    assert cluster.calls == []
    assert cluster.universe.downloads == 0


def test_what_the_cache_lacks_is_built() -> None:
    assert bootstrap({"tool": cached(TOOL, told=True)}).built() == [("base", "1.0")]


@pytest.mark.parametrize("wheel", [cached(TOOL, told=False), b"no zip file", cached(BASE, told=True)])
@pytest.mark.rule("taken-2")
def test_a_wheel_that_lies_or_tells_too_little_is_built_instead(wheel: bytes) -> None:
    assert bootstrap({"tool": wheel}).built() == [("base", "1.0"), ("tool", "2.0")]
