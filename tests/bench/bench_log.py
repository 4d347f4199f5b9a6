"""Rates of the event log on a real server with every append on disk; run it, it prints.

PYTHONPATH=shared:tests/integration python tests/bench/bench_log.py [events to replay]
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from log_world import NatsWorld, a_decision, an_envelope, build
from nats_server import running_nats
from wheelfleet_shared.adapters import nats_append
from wheelfleet_shared.core.events import BuildClaimed
from wheelfleet_shared.names import TargetId
from wheelfleet_shared.ports import Append, Appended, EventLog


def say(line: str) -> None:
    print(line)  # a bench's product is its figures


def decisions(prefix: str, count: int) -> list[Append]:
    claimed = BuildClaimed(1, "0123456789abcdef", TargetId("cp311-linux_x86_64"))
    return [Append(build(f"{prefix}-{n}"), 0, (an_envelope(claimed),)) for n in range(count)]


async def timed(work: Callable[[int], Awaitable[None]], rounds: int) -> list[float]:
    seconds = []
    for number in range(rounds):
        start = time.perf_counter()
        await work(number)
        seconds.append(time.perf_counter() - start)
    return seconds


def show(name: str, events: int, seconds: list[float]) -> None:
    say(
        f"{name:34} {statistics.median(seconds) * 1e3:8.2f} ms median {max(seconds) * 1e3:8.2f} ms worst"
        f" {events * len(seconds) / sum(seconds):9.0f} events/s"
    )


async def appends(log: EventLog, size: int, rounds: int) -> list[float]:
    async def once(number: int) -> None:
        outcomes = await log.append(decisions(f"g{size}-{number}-{time.time_ns()}", size))
        assert all(isinstance(outcome, Appended) for outcome in outcomes)

    return await timed(once, rounds)


async def compare_alone_and_together(log: EventLog) -> None:
    usual = nats_append.ALONE_BELOW
    for size in (2, 4, 6, 8, 12, 16, 24, 32):
        nats_append.ALONE_BELOW = size + 1
        alone = statistics.median(await appends(log, size, 25))
        nats_append.ALONE_BELOW = 0
        together = statistics.median(await appends(log, size, 25))
        say(f"  {size:3} decisions: {alone * 1e3:7.2f} ms one by one, {together * 1e3:7.2f} ms in a batch")
    nats_append.ALONE_BELOW = usual


async def conflict_costs(log: EventLog) -> None:
    async def once(number: int) -> None:
        batch = decisions(f"c{number}", 100)
        batch[50] = a_decision("taken", 0)
        await log.append(batch)

    await log.append([a_decision("taken")])
    show("group of 100 with one conflict", 99, await timed(once, 20))


async def replay(log: EventLog, events: int) -> None:
    while await log.last_sequence() < events:
        await log.append(decisions(f"r{time.time_ns()}", 1000))
    start, cpu, count = time.perf_counter(), time.process_time(), 0
    async for chunk in log.read():
        count += len(chunk)
    wall, used = time.perf_counter() - start, time.process_time() - cpu
    say(f"replay of {count} events: {wall:.2f} s, {count / wall:.0f} events/s, {count / used:.0f} a CPU second")


async def main(events: int) -> None:
    with tempfile.TemporaryDirectory() as folder, running_nats(Path(folder)) as server:
        world = NatsWorld(server)
        log = await world.log()
        try:
            show("single append", 1, await appends(log, 1, 300))
            for size, rounds in ((10, 50), (100, 30), (1000, 15)):
                show(f"group of {size}", size, await appends(log, size, rounds))
            await conflict_costs(log)
            await compare_alone_and_together(log)
            await replay(log, events)
        finally:
            await world.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
