"""Each safeguard taken away in turn: the invariants must notice, or they guard nothing."""

import asyncio
import re
from collections.abc import Callable

import msgspec
import pytest

from invariants import Broken, unfinished, until
from stories import troubled
from troubled import TroubledCluster
from universe import Release, Universe
from virtual_loop import Deadlock, Livelock, run
from wheelfleet_agent.app.desk_client import DeskClient
from wheelfleet_coordinator.app import desk, prebuilt, taking_over, verifying
from wheelfleet_coordinator.core import lost_wheels, node_walk, work
from wheelfleet_coordinator.core.leases import LeaseBook
from wheelfleet_coordinator.core.world import World
from wheelfleet_shared.adapters.memory_log import MemoryStream
from wheelfleet_shared.core import build as builds
from wheelfleet_shared.core.envelope import Aggregate

Mutate = Callable[[pytest.MonkeyPatch], None]


def no_compare_and_append(patch: pytest.MonkeyPatch) -> None:
    store = MemoryStream.store

    def careless(self: MemoryStream, actor, append):
        return store(self, actor, append._replace(expected=self._last.get(append.aggregate, 0)))

    patch.setattr(MemoryStream, "store", careless)


def no_fence(patch: pytest.MonkeyPatch) -> None:
    rules_of = builds._rules_of

    def unfenced(actor: str):
        return {kind: rule._replace(holds=None) for kind, rule in rules_of(actor).items()}

    patch.setattr(builds, "_rules_of", unfenced)


def leases_never_end(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(LeaseBook, "lost", lambda self, claimed, now: [])


def dependents_before_publication(patch: pytest.MonkeyPatch) -> None:
    wheel_of = World.wheel_of

    def accepted(self: World, build: builds.Build):
        published = wheel_of(self, build)
        if published is not None or build.plan is None or build.wheel is None:
            return published
        return self.file(build.plan.index, build.wheel.wheel.file_name)

    patch.setattr(World, "wheel_of", accepted)
    patch.setattr(node_walk, "GOOD", builds.GOOD | {builds.Status.BUILT})


def uploads_by_name(patch: pytest.MonkeyPatch) -> None:
    # The wheels of the simulation are small; of large ones the store is asked first whether it has them.
    patch.setattr(desk, "LOOK_FROM", 0)
    for module in (desk, prebuilt, taking_over, verifying, work, lost_wheels):
        patch.setattr(module, "blob_key", lambda sha256, file_name: f"blobs/{file_name}")


def claims_of_anything(patch: pytest.MonkeyPatch) -> None:
    claim = DeskClient.claim

    async def unreferenced(self: DeskClient, offer, incarnation):
        newest = await self._log.read_aggregate(builds_of(offer))
        return await claim(self, msgspec.structs.replace(offer, last=newest[-1].sequence), incarnation)

    patch.setattr(DeskClient, "claim", unreferenced)


def builds_of(offer) -> Aggregate:
    return Aggregate("build", offer.build)


SEEDS = range(40)
MUTANTS: dict[str, tuple[Mutate, str]] = {
    "no compare-and-append": (no_compare_and_append, "accepted twice"),
    "no fence in the fold": (no_fence, "of fence .* moved"),
    "dependents go on before the wheel is published": (dependents_before_publication, "unpublished"),
    "uploads by name": (uploads_by_name, "published with other bytes"),
    "claims without the offer's sequence": (claims_of_anything, "not on offer"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_cluster_without_a_safeguard_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mutate, reason = MUTANTS[name]
    mutate(monkeypatch)
    for seed in SEEDS:
        try:
            troubled(seed)
        except (Broken, Deadlock, Livelock) as broken:
            print(f"{name}: seed {seed}: {broken}")
            if re.search(reason, str(broken)):
                return
    pytest.fail(f"{name}: not caught for that reason within {len(SEEDS)} seeds")


async def owner_gone_for_good(loop: asyncio.AbstractEventLoop) -> None:
    """A story that only the end of a lease brings on: the owner dies at its build and never comes back."""
    cluster = TroubledCluster(loop, Universe([Release("tool", "1.0", seconds=30.0)]), 1)
    cluster.trouble.on = False
    parts = cluster.start_coordinator()
    cluster.start_agent("a1")
    run_id = await cluster.submit("tool")
    await asyncio.sleep(10.0)
    assert parts.state.world.by_status[builds.Status.CLAIMED]
    await cluster.kill_agent("a1")
    cluster.start_agent("a2")
    world = parts.state.world
    await until(lambda: world.runs[run_id].finished is not None, 600.0, lambda: unfinished(world))


def test_without_an_end_of_leases_a_dead_owner_keeps_its_build(monkeypatch: pytest.MonkeyPatch) -> None:
    run(owner_gone_for_good)
    leases_never_end(monkeypatch)
    with pytest.raises(Broken, match="claimed"):
        run(owner_gone_for_good)
