"""What every event log holds, in memory and on a real server."""

import asyncio
import contextlib
import random
from collections.abc import Iterator

import pytest

from log_world import MemoryWorld, NatsWorld, World, a_decision, an_envelope, build, on_a_loop
from nats_server import running_nats
from wheelfleet_shared.core import codec
from wheelfleet_shared.core.envelope import Recorded, Unknown
from wheelfleet_shared.core.events import BuildFailed, Failure
from wheelfleet_shared.errors import WheelfleetError
from wheelfleet_shared.ports import AlreadyAppended, Append, Appended, Conflict, EventLog, Outcome


@pytest.fixture(params=["memory", "nats"])
def world(request, tmp_path) -> Iterator[World]:
    if request.param == "memory":
        yield MemoryWorld()
        return
    with running_nats(tmp_path) as server:
        yield NatsWorld(server)


@contextlib.asynccontextmanager
async def open_log(world: World):
    try:
        yield await world.log()
    finally:
        await world.close()


async def everything(log: EventLog, after: int = 0, until: int | None = None) -> list[Recorded]:
    return [event async for chunk in log.read(after, until=until) for event in chunk]


async def the_first(log: EventLog, count: int) -> list[Recorded]:
    found: list[Recorded] = []
    async for chunk in log.tail():
        found += chunk
        if len(found) >= count:
            break
    return found


@on_a_loop
async def test_what_was_appended_is_read_as_it_was(world):
    async with open_log(world) as log:
        decision = a_decision("numpy")
        assert await log.append([decision]) == [Appended(1)]
        assert await log.last_sequence() == 1
        assert await everything(log) == [Recorded(1, build("numpy"), log.actor, decision.envelopes[0])]


@on_a_loop
async def test_an_empty_log_is_read_to_its_end_at_once(world):
    async with open_log(world) as log:
        assert await log.last_sequence() == 0
        assert await everything(log) == []
        assert await log.read_aggregate(build("numpy")) == []
        assert await log.append([]) == []


@on_a_loop
async def test_of_twenty_writers_who_know_the_same_one_wins(world):
    async with open_log(world) as log:
        writers = [log, await world.log("coordinator", "other"), await world.log("agent", "a1")]
        for race in range(50):
            tries = [a_decision(f"race-{race}") for _ in range(20)]
            outcomes = await asyncio.gather(*(writers[n % 3].append([a]) for n, a in enumerate(tries)))
            winners = [n for n, [outcome] in enumerate(outcomes) if isinstance(outcome, Appended)]
            assert len(winners) == 1
            last = outcomes[winners[0]][0].last
            assert all(outcome == Conflict(last) for n, [outcome] in enumerate(outcomes) if n != winners[0])
            [kept] = await log.read_aggregate(build(f"race-{race}")) if race < 3 else [None]
            assert kept is None or kept.envelope == tries[winners[0]].envelopes[0]
        assert await log.last_sequence() == 50


@on_a_loop
async def test_the_same_append_again_tells_of_the_first(world):
    async with open_log(world) as log:
        alone, whole = a_decision("alone"), a_decision("whole", events=3)
        first = await log.append([alone]) + await log.append([whole])
        assert first == [Appended(1), Appended(4)]
        await log.append([a_decision("alone", 1)])
        assert await log.append([alone]) + await log.append([whole]) == [AlreadyAppended(1), AlreadyAppended(4)]
        assert await log.last_sequence() == 5


@on_a_loop
async def test_an_agent_learns_of_its_earlier_try_though_it_may_not_read(world):
    async with open_log(world):
        agent = await world.log("agent", "a1")
        claim = a_decision("numpy")
        assert await agent.append([claim]) == [Appended(1)]
        assert await agent.append([claim]) == [AlreadyAppended(1)]
        assert await agent.append([a_decision("numpy")]) == [Conflict(1)]


@pytest.mark.parametrize("others", [3, 60])
@on_a_loop
async def test_one_conflict_keeps_no_other_decision_out(world, others):
    async with open_log(world) as log:
        await log.append([a_decision("taken")])
        batch = [a_decision(f"free-{n}") for n in range(others)]
        batch.insert(others // 2, a_decision("taken", 0))
        outcomes = await log.append(batch)
        assert outcomes[others // 2] == Conflict(1)
        rest = [outcome for n, outcome in enumerate(outcomes) if n != others // 2]
        assert sorted(outcome.last for outcome in rest) == list(range(2, others + 2))
        assert all(isinstance(outcome, Appended) for outcome in rest)


@on_a_loop
async def test_a_batch_of_all_sorts_gets_each_its_own_outcome(world):
    async with open_log(world) as log:
        earlier, earlier_whole = a_decision("earlier"), a_decision("earlier-whole", events=2)
        await log.append([earlier])
        await log.append([earlier_whole])
        await log.append([a_decision("taken", events=2)])
        fresh, stale = a_decision("fresh", events=2), a_decision("taken", 4, events=3)
        batch = [earlier, fresh, stale, earlier_whole, Append(build("none"), 0, ()), a_decision("fresh", 0)]
        outcomes: list[Outcome] = await log.append(batch)
        assert outcomes == [
            AlreadyAppended(1),
            Appended(7),
            Conflict(5),
            AlreadyAppended(3),
            Appended(0),
            Conflict(7),
        ]
        assert await log.last_sequence() == 7


@on_a_loop
async def test_a_decision_of_several_events_goes_in_whole_or_not_at_all(world):
    async with open_log(world) as log:
        other = await world.log("coordinator", "other")
        for race in range(10):
            name = f"race-{race}"
            tries = [a_decision(name, events=3) for _ in range(4)]
            outcomes = await asyncio.gather(*((log, other)[n % 2].append([a]) for n, a in enumerate(tries)))
            assert sum(isinstance(outcome, Appended) for [outcome] in outcomes) == 1
            kept = await log.read_aggregate(build(name))
            assert tuple(event.envelope for event in kept) in [a.envelopes for a in tries]
            assert [event.sequence for event in kept] == list(range(kept[0].sequence, kept[0].sequence + 3))


@on_a_loop
async def test_a_large_group_is_appended_in_order(world):
    async with open_log(world) as log:
        batch = [a_decision(f"n{n}", events=1 + n % 3) for n in range(700)]
        outcomes = await log.append(batch)
        wanted = [envelope for a in batch for envelope in a.envelopes]
        assert [event.envelope for event in await everything(log)] == wanted
        assert outcomes[-1] == Appended(len(wanted))


@on_a_loop
async def test_reading_keeps_to_its_bounds(world):
    async with open_log(world) as log:
        await log.append([a_decision(f"n{n}") for n in range(20)])
        assert [event.sequence for event in await everything(log, 5, 9)] == [6, 7, 8, 9]
        assert [event.sequence for event in await everything(log, 18)] == [19, 20]
        assert [event.sequence for event in await everything(log, 18, 99)] == [19, 20]
        assert await everything(log, 20) == []
        assert await everything(log, 25, 30) == []
        assert await everything(log, 9, 5) == []


@on_a_loop
async def test_tails_wake_for_what_others_append(world):
    async with open_log(world) as log:
        other = await world.log("coordinator", "other")
        tails = [asyncio.create_task(the_first(each, 200)) for each in (log, other)]
        writing = [[a_decision(f"{name}-{n}") for n in range(100)] for name in ("x", "y")]
        await asyncio.gather(*(log.append([a]) for a in writing[0]), *(other.append([a]) for a in writing[1]))
        seen = await asyncio.gather(*tails)
        assert seen[0] == seen[1]
        assert [event.sequence for event in seen[0]] == list(range(1, 201))


@on_a_loop
async def test_what_this_version_does_not_know_passes_through(world):
    async with open_log(world) as log:
        strange = b'{"id":"x","at":2.0,"event":{"type":"WheelSigned","by":"ann"}}'
        await world.put("log.build.numpy.coordinator-main", strange)
        await world.put("log.build.numpy.coordinator-main", b"\x00 no event at all")
        await world.put("log.build.scipy.coordinator-main", b"{}")
        assert await log.append([a_decision("numpy", 2)]) == [Appended(4)]
        [unknown, known] = await everything(log)
        assert (unknown.sequence, known.sequence) == (1, 4)
        assert unknown.event == Unknown("WheelSigned", b'{"type":"WheelSigned","by":"ann"}')
        assert codec.decode(codec.encode(unknown.envelope)) == unknown.envelope
        assert [event.sequence for event in await the_first(log, 2)] == [1, 4]


@on_a_loop
async def test_an_event_too_large_is_named_and_nothing_is_stored(world):
    async with open_log(world) as log:
        failed = BuildFailed(Failure("backend", "build", "x" * 300_000))
        with pytest.raises(WheelfleetError, match="BuildFailed of build numpy takes 300"):
            await log.append([Append(build("numpy"), 0, (an_envelope(failed),))])
        assert await log.last_sequence() == 0


@on_a_loop
async def test_many_writers_with_stale_knowledge_lose_nothing_and_double_nothing(world):
    async with open_log(world) as log:
        other = await world.log("coordinator", "other")
        chance = random.Random(7)

        async def insist(handle: EventLog, name: str) -> str:
            last = 0
            while True:
                decision = a_decision(name, last, events=chance.choice((1, 1, 2)))
                [outcome] = await handle.append([decision])
                if not isinstance(outcome, Conflict):
                    return decision.envelopes[0].id
                last = outcome.last

        names = [f"hot-{n % 3}" for n in range(24)]
        done = await asyncio.gather(*(insist((log, other)[n % 2], name) for n, name in enumerate(names)))
        stored = [event.envelope.id for event in await everything(log)]
        assert len(stored) == len(set(stored))
        assert set(done) <= set(stored)
