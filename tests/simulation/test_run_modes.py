"""Saved orders, forced and replacing runs, settings and prebuilt wheels, on the whole cluster in virtual time."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable

import pytest

from cluster import TARGET, Cluster
from sim_builder import wheel_bytes
from universe import Release, Universe
from virtual_loop import run
from wheelfleet_coordinator.core.node_result import NodeResult, node_results
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.bundle import Customisation, Entry, RunInputs, encode_inputs
from wheelfleet_shared.core.keys import bundle_key
from wheelfleet_shared.names import RunId, Sha256, graph_id

TREE = [
    Release("setuptools", "84.2.1"),
    Release("setuptools", "73.0.1"),
    Release("pbr", "7.1.3", static=("setuptools>=64",), install=("setuptools",)),
    Release("stevedore", "5.2.0", static=("setuptools>=40.8.0",), hook=("pbr>=2.0.0",), install=("pbr>=2.0.0", "six")),
    Release("six", "1.17.0"),
]
ORDER = {"setuptools": "73.0.1", "pbr": "7.1.3", "stevedore": "5.2.0"}


class Trial:
    """One cluster, on which runs are made one after the other."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.parts = cluster.start_coordinator()

    async def run(
        self, name: str, *requirements: str, inputs: RunInputs | None = None, **options: object
    ) -> dict[str, NodeResult]:
        """What became of each node, by name."""
        bundle = None
        if inputs is not None:
            data = encode_inputs(inputs)
            bundle = Sha256(hashlib.sha256(data).hexdigest())
            await self.cluster.blobs.put(bundle_key(bundle), data, "application/json")
        found = await self.cluster.submit(*requirements, run=name, bundle=bundle, **options)
        await self.cluster.finished(self.parts, found)
        graph = self.parts.state.world.graphs[graph_id(RunId(name), TARGET)]
        return {result.node.name: result for result in node_results(self.parts.state.world, graph)}

    def entries(self, versions: dict[str, str]) -> RunInputs:
        """A build order of these versions, as fromager writes it: no hashes."""
        urls = ((name, version, f"sim://files/{name}/{version}") for name, version in versions.items())
        return RunInputs(entries=tuple(Entry(name, version, url) for name, version, url in urls))

    async def sequence(self, name: str, versions: dict[str, str], **options: object) -> dict[str, NodeResult]:
        requirements = (f"{project}=={version}" for project, version in versions.items())
        return await self.run(name, *requirements, inputs=self.entries(versions), mode="entries", **options)


def trial(tell: Callable[[Trial], Awaitable[None]], universe: Universe | None = None) -> Cluster:
    async def main(loop: asyncio.AbstractEventLoop) -> Cluster:
        cluster = Cluster(loop, universe or Universe(TREE))
        story = Trial(cluster)
        agent = cluster.start_agent("a1")
        await tell(story)
        await cluster.kill_coordinator()
        agent.cancel()
        await asyncio.gather(agent, return_exceptions=True)
        return cluster

    return run(main)


def statuses(results: dict[str, NodeResult]) -> dict[str, str]:
    return {name: result.status for name, result in results.items()}


def test_an_order_is_built_in_whatever_order_it_stands_with_its_own_versions() -> None:
    async def tell(story: Trial) -> None:
        backwards = dict(reversed(ORDER.items()))
        results = await story.sequence("r1", backwards)
        assert statuses(results) == dict.fromkeys(("pbr", "setuptools", "stevedore"), "built")

    cluster = trial(tell)
    # 84.2.1 is newer on the index and none of the order's business; six, which only users install, is not missed.
    assert cluster.built() == [("setuptools", "73.0.1"), ("pbr", "7.1.3"), ("stevedore", "5.2.0")]


def test_what_the_index_holds_is_skipped_and_with_force_built_anew() -> None:
    async def tell(story: Trial) -> None:
        await story.sequence("r1", ORDER)
        assert set(statuses(await story.sequence("r2", ORDER)).values()) == {"taken over"}
        again = await story.sequence("r3", ORDER, force=True)
        assert set(statuses(again).values()) == {"built"}
        # The bytes of the archives differ, what they install does not: the published ones stay.
        assert all(result.reproduced for result in again.values())

    cluster = trial(tell)
    assert len(cluster.built()) == 6


def test_an_order_may_lean_on_what_the_index_holds() -> None:
    async def tell(story: Trial) -> None:
        await story.run("r1", "setuptools==73.0.1")
        results = await story.sequence("r2", {"pbr": "7.1.3"})
        assert statuses(results) == {"pbr": "built", "setuptools": "taken over"}

    trial(tell)


def test_what_nothing_holds_fails_whoever_needs_it_to_be_built() -> None:
    async def tell(story: Trial) -> None:
        results = await story.sequence("r1", {"setuptools": "84.2.1", "stevedore": "5.2.0"})
        assert statuses(results) == {"setuptools": "built", "stevedore": "failed"}
        failure = results["stevedore"]
        assert "neither the order nor the index holds a version for pbr>=2.0.0" in " ".join(failure.chain)

    trial(tell)


PATCH = b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"


def patched(text: bytes = PATCH, changelog: int = 0) -> RunInputs:
    lines = "".join("    - again\n" for _ in range(changelog))
    files = {"patches/six-1.17.0/1.patch": text}
    if changelog:
        files["settings/six.yaml"] = f'changelog:\n  "1.17.0":\n{lines}'.encode()
    return RunInputs(customisation=Customisation("cpu", files))


def test_a_patch_makes_another_build_and_never_takes_the_name_of_the_first() -> None:
    async def tell(story: Trial) -> None:
        await story.run("r1", "six", "pbr")
        refused = await story.run("r2", "six", inputs=patched())
        failure = refused["six"].failure
        assert failure is not None
        assert failure.kind == "policy"
        assert "already published from other inputs: patches" in failure.line
        assert "changelog" in failure.hint
        replaced = await story.run("r3", "six", "pbr", inputs=patched(), replace=True)
        assert statuses(replaced) == {"six": "built", "pbr": "taken over", "setuptools": "taken over"}

    trial(tell)


def lines(count: int) -> RunInputs:
    files = {"settings/six.yaml": ('changelog:\n  "1.17.0":\n' + "    - again\n" * count).encode()} if count else {}
    return RunInputs(customisation=Customisation("cpu", files))


@pytest.mark.parametrize("left", [0, 1])
def test_a_changelog_that_lost_lines_stops_what_would_hide_behind_the_index(left: int) -> None:
    async def tell(story: Trial) -> None:
        assert statuses(await story.run("r1", "six", inputs=lines(2))) == {"six": "built"}
        refused = await story.run("r2", "six", inputs=lines(left))
        failure = refused["six"].failure
        assert failure is not None
        assert (failure.kind, failure.phase) == ("policy", "plan")
        assert failure.line == (
            f"changelog for version 1.17.0 is inconsistent: it comes to build tag {left}, "
            "but six-1.17.0-2-py3-none-any.whl is published"
        )
        assert "--replace" in failure.hint
        assert statuses(await story.run("r3", "six", inputs=lines(2))) == {"six": "taken over"}
        assert statuses(await story.run("r4", "six", inputs=lines(3))) == {"six": "built"}
        assert statuses(await story.run("r5", "six", inputs=lines(left), replace=True)) == {"six": "built"}

    trial(tell)


def test_of_two_runs_that_replace_each_others_wheels_the_newer_has_the_last_word() -> None:
    slow = Release("slow", "1.0", seconds=300.0)

    async def tell(story: Trial) -> None:
        older = story.run("r1", "six", "slow", inputs=patched(), replace=True)
        newer = story.run("r2", "six", "slow", inputs=patched(PATCH.replace(b"+b", b"+c")), replace=True)
        first, last = await asyncio.gather(older, newer)
        assert (first["six"].status, last["six"].status) == ("failed", "built")

    assert len(trial(tell, Universe([*TREE, slow])).built()) <= 4


def test_a_prebuilt_wheel_is_published_and_never_built() -> None:
    wheel = wheel_bytes(Release("six", "1.17.0"))

    class WithWheels(Universe):
        async def download(self, url, to):  # type: ignore[no-untyped-def]
            if not url.endswith(".whl"):
                return await super().download(url, to)
            to.write_bytes(wheel)
            return hashlib.sha256(wheel).hexdigest(), len(wheel)

    name = "six-1.17.0-0-py3-none-any.whl"
    entry = Entry("six", "1.17.0", f"sim://wheels/{name}", prebuilt=True)

    async def tell(story: Trial) -> None:
        results = await story.run("r1", "six==1.17.0", inputs=RunInputs(entries=(entry,)), mode="entries")
        held = results["six"].wheel
        assert held is not None
        assert isinstance(held.accepted, e.PrebuiltAccepted)
        assert held.accepted.file.file_name == name

    assert trial(tell, WithWheels(TREE)).built() == []


def test_hooks_are_called_with_a_prebuilt_wheel_before_it_is_published() -> None:
    wheel = wheel_bytes(Release("six", "1.17.0"))

    class WithWheels(Universe):
        async def download(self, url, to):  # type: ignore[no-untyped-def]
            to.write_bytes(wheel)
            return hashlib.sha256(wheel).hexdigest(), len(wheel)

    entry = Entry("six", "1.17.0", "sim://wheels/six-1.17.0-0-py3-none-any.whl", prebuilt=True)
    hooks = {"plugins/wheelfleet_overrides/_hooks.py": b"def prebuilt_wheel(): ..."}
    inputs = RunInputs(entries=(entry,), customisation=Customisation("cpu", hooks))

    async def tell(story: Trial) -> None:
        results = await story.run("r1", "six==1.17.0", inputs=inputs, mode="entries")
        held = results["six"].wheel
        assert held is not None
        assert isinstance(held.accepted, e.PrebuiltAccepted)
        await story.run("r2", "six==1.17.0", inputs=inputs, mode="entries")

    assert trial(tell, WithWheels(TREE)).calls == [("hooks", "six", "1.17.0")]


@pytest.mark.parametrize("content", [b"no zip at all", wheel_bytes(Release("seven", "1.0"))])
def test_a_prebuilt_file_that_is_no_wheel_of_its_node_fails_alone(content: bytes) -> None:
    class WithRubbish(Universe):
        async def download(self, url, to):  # type: ignore[no-untyped-def]
            if not url.endswith(".whl"):
                return await super().download(url, to)
            to.write_bytes(content)
            return hashlib.sha256(content).hexdigest(), len(content)

    entries = (
        Entry("six", "1.17.0", "sim://wheels/six-1.17.0-py3-none-any.whl", prebuilt=True),
        Entry("setuptools", "84.2.1", "sim://files/setuptools/84.2.1"),
    )

    async def tell(story: Trial) -> None:
        wanted = ("six==1.17.0", "setuptools==84.2.1")
        results = await story.run("r1", *wanted, inputs=RunInputs(entries=entries), mode="entries")
        assert statuses(results) == {"six": "failed", "setuptools": "built"}
        failure = results["six"].failure
        assert failure is not None
        assert failure.phase == "prebuilt"

    trial(tell, WithRubbish(TREE))
