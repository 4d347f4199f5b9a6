"""Events a second from bytes to the folded world, as a coordinator starts; run it, it prints.

PYTHONPATH=shared:coordinator python tests/bench/fold.py [--events 300000] [--rounds 5] [--profile]
"""

import argparse
import cProfile
import gc
import pstats
import time
from collections import Counter
from collections.abc import Callable, Sequence

from machine import load, peak_mib, say, spread
from synthetic_log import Message, messages

from wheelfleet_coordinator.app.collector import collector_at_rest
from wheelfleet_coordinator.core.world import World
from wheelfleet_shared.core import codec
from wheelfleet_shared.core.envelope import Recorded

_CHUNK = 1000
_LEAST_OF = 25


def fold(log: Sequence[Message]) -> World:
    """As the coordinator catches up: chunk after chunk, decoded and applied."""
    world = World()
    with collector_at_rest():
        for start in range(0, len(log), _CHUNK):
            for recorded in decode(log[start : start + _CHUNK]):
                world.apply(recorded)
    gc.unfreeze()
    return world


def decode(chunk: Sequence[Message]) -> list[Recorded]:
    events = (codec.recorded(message.sequence, message.subject, message.data) for message in chunk)
    return [event for event in events if event is not None]


def decode_only(log: Sequence[Message]) -> None:
    with collector_at_rest():
        for start in range(0, len(log), _CHUNK):
            decode(log[start : start + _CHUNK])


def undisturbed(log: Sequence[Message]) -> tuple[float, float]:
    """Seconds an event to decode and to fold, each the least of many rounds: what other processes take is left out."""
    clock = time.perf_counter
    decoding, folding = [1.0] * len(log), [1.0] * len(log)
    for _ in range(_LEAST_OF):
        world = World()
        for place, message in enumerate(log):
            start = clock()
            recorded = codec.recorded(*message)
            middle = clock()
            assert recorded is not None
            world.apply(recorded)
            decoding[place] = min(decoding[place], middle - start)
            folding[place] = min(folding[place], clock() - middle)
    return sum(decoding) / len(log), sum(folding) / len(log)


def cpu_seconds(work: Callable[[], object], rounds: int) -> list[float]:
    found = []
    for _ in range(rounds):
        start = time.process_time()
        kept = work()
        found.append(time.process_time() - start)
        del kept
    return found


def main(events: int, rounds: int, profile: bool) -> None:
    log = messages(events)
    world = fold(log)
    decoded = (codec.decode(message.data) for message in log[:20_000])
    kinds = Counter(type(envelope.event).__name__ for envelope in decoded)
    say(f"{len(log)} events, seed 1, {sum(len(m.data) for m in log) / len(log):.0f} bytes each, {load()}")
    say("of the first 20000: " + ", ".join(f"{kind} {count}" for kind, count in kinds.most_common()))
    say(f"{len(world.builds)} builds, {len(world.files)} files, {len(world.graphs)} graphs, {world.ignored} ignored")
    del world
    for name, work in (("decoded", lambda: decode_only(log)), ("decoded and folded", lambda: fold(log))):
        seconds = cpu_seconds(work, rounds)
        rates = [len(log) / second for second in seconds]
        say(f"{name:20} {spread(rates, 'events a CPU second')}")
    decoding, folding = undisturbed(log[:8000])
    say(
        f"undisturbed: {decoding * 1e6:.2f} µs to decode, {folding * 1e6:.2f} µs to fold,"
        f" {1 / (decoding + folding):.0f} events/s (each of 8000 events at its best of {_LEAST_OF})"
    )
    say(f"peak memory with the bytes of the log: {peak_mib():.0f} MiB; {load()}")
    if profile:
        profiler = cProfile.Profile()
        profiler.runcall(fold, log)
        pstats.Stats(profiler).sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    main(arguments.events, arguments.rounds, arguments.profile)
