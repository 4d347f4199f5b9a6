"""kill -9 of any process at chosen moments: the run goes on from the log, and nothing published is built again."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from kill_moments import (
    PARTS,
    Kill,
    Moment,
    Watch,
    after_claim,
    after_events,
    after_upload,
    before_page_is_told,
    before_publishing,
    kill_at,
    watching,
)
from local_cluster import LocalCluster, local_cluster
from local_index import LocalIndex
from local_runs import Run, hook_calls_in, result_of

WITHIN = 900
"""Seconds that a run with all its kills may take on a busy machine."""
INFRASTRUCTURE = 3
"""The status of a command that no coordinator answers."""
OTHERWISE = {"PYTHONHASHSEED": "4711", "TZ": "Asia/Kathmandu", "WHEELFLEET_SANDBOX": "none"}


def moments(seed: int, number: int) -> list[Moment]:
    """The windows that matter most, and else any part after a few events, in an order of the seed's."""
    chance = random.Random(seed)
    windows = [after_claim(), after_upload(), before_publishing(), before_page_is_told()]
    victims = ["nats-server", "juicefs", "supervisor", *chance.choices(PARTS, k=number - 7)]
    return chance.sample([*windows, *(after_events(chance.randint(1, 10), victim) for victim in victims)], number)


async def bootstrap_under_kills(cluster: LocalCluster, plan: Sequence[Moment], *slots: str) -> list[Kill]:
    """The kills, all of which happened before the run's end, which was a good one."""
    await asyncio.to_thread(cluster.run, "up", *slots)
    process = cluster.start("-O", "out", "bootstrap", *slots, "--index-url", cluster.index, "top")
    kills: list[Kill] = []
    async with watching(cluster.data) as watch:
        killing = asyncio.create_task(carry_out(cluster, watch, plan, kills))
        out, err = await asyncio.to_thread(process.communicate, None, WITHIN)
        await asyncio.wait([killing], timeout=60)  # for a part that was killed last to be back
        if not killing.cancel():
            await killing
    status = process.returncode
    if status == INFRASTRUCTURE:  # on a busy machine a part may take longer to come back than commands wait for it
        run = cluster.told("runs")["runs"][0]["run"]
        status, out, err = cluster.run("wait", run, "-O", "out")
    assert status == 0, out + err
    assert len(kills) == len(plan), "the run ended before all was killed"
    return kills


async def carry_out(cluster: LocalCluster, watch: Watch, plan: Sequence[Moment], kills: list[Kill]) -> None:
    """Every moment of the plan has come, one after the other, each with a complete cluster to begin with."""
    for moment in plan:
        old = await watch.another(moment.victim, None)
        kill = await kill_at(watch, moment)
        kills.append(kill)
        killed_at = time.monotonic()
        if moment.victim == "supervisor":
            said = await asyncio.to_thread(cluster.run, "up")
            assert said.status == 0, said.err
        await watch.another(moment.victim, old)
        back = time.monotonic() - killed_at
        print(f"killed {kill.victim} after event {kill.sequence}, {kill.moment}; back in {back:.1f} s", flush=True)


def killed_run(
    folder: Path, sources: LocalIndex, calls: Path, plan: Sequence[Moment], slots: int
) -> tuple[list[Kill], Run, Counter[str]]:
    """The kills, the result, and the calls of hooks that a run cost; a second run cost none."""
    calls.unlink(missing_ok=True)
    with local_cluster(folder, sources.url, umask=0o077, **OTHERWISE) as cluster:
        kills = asyncio.run(bootstrap_under_kills(cluster, plan, "--slots", str(slots)))
        cold = hook_calls_in(calls.read_text())
        again = cluster.bootstrap("-O", "again", "top")
        assert again.status == 0, again.err
        assert hook_calls_in(calls.read_text()) == cold
        return kills, result_of(folder / "out"), cold


def check(kills: Sequence[Kill], killed: Run, calls: Counter[str], undisturbed: Run, slots: int) -> None:
    assert killed == undisturbed
    built = sum(number for call, number in calls.items() if call.startswith("build_wheel "))
    print(f"{len(killed.wheels)} wheels, {len(kills)} kills, {built} calls of build_wheel", flush=True)
    assert len(killed.wheels) <= built <= len(killed.wheels) + len(kills) * slots


def test_eight_kills_change_nothing_but_the_time(
    tmp_path: Path, sources: LocalIndex, calls: Path, undisturbed: Run
) -> None:
    kills, killed, cold = killed_run(tmp_path, sources, calls, moments(8, 8), slots=1)
    assert len(kills) == 8
    check(kills, killed, cold, undisturbed, slots=1)


@pytest.mark.long
@pytest.mark.parametrize(("seed", "number", "slots"), [(1, 8, 1), (2, 8, 2), (3, 9, 3)])
def test_many_kills_change_nothing_but_the_time(
    tmp_path: Path, sources: LocalIndex, calls: Path, undisturbed: Run, seed: int, number: int, slots: int
) -> None:
    kills, killed, cold = killed_run(tmp_path, sources, calls, moments(seed, number), slots)
    assert len(kills) == number
    check(kills, killed, cold, undisturbed, slots)
