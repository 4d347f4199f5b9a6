import heapq
import random

from wheelfleet_coordinator.core.estimate import Measured, Open, remaining_seconds

MEANS = {"pure": 2.0, "open": 4.0, "native": 40.0}


def schedule(builds: list[tuple[str, float]], slots: int) -> list[tuple[float, float, str]]:
    """(start, end, expectation) of each build, taken in order by whichever slot is free first."""
    free = [0.0] * slots
    heapq.heapify(free)
    done = []
    for expectation, wall in builds:
        start = heapq.heappop(free)
        heapq.heappush(free, start + wall)
        done.append((start, start + wall, expectation))
    return done


def within_half(seed: int) -> bool:
    """Whether the estimate holds at the first end of a build after half of all work is done."""
    chance = random.Random(seed)
    kinds = chance.choices(list(MEANS), weights=(6, 3, 1), k=chance.randrange(30, 200))
    builds = [(kind, MEANS[kind] * chance.uniform(0.6, 1.4)) for kind in kinds]
    planned = schedule(builds, chance.randrange(1, 5))
    half = sum(wall for _, wall in builds) / 2
    ends = sorted(finish for _, finish, _ in planned)
    now = next(end for end in ends if sum(max(0.0, min(f, end) - s) for s, f, _ in planned) >= half)
    done = [Measured(kind, finish - start) for start, finish, kind in planned if finish <= now]
    left = [Open(kind, max(0.0, now - start)) for start, finish, kind in planned if finish > now]
    truth = ends[-1] - now
    return abs(remaining_seconds(done, left, now) - truth) <= 0.5 * truth


def test_within_half_of_the_truth_once_half_the_work_is_done():
    # The rest are runs that end with builds of a kind of which none has ended yet.
    assert sum(within_half(seed) for seed in range(100)) >= 95


def test_nothing_measured_is_no_estimate_and_nothing_left_is_none():
    assert remaining_seconds([], [Open("pure")], 5.0) < 0
    assert remaining_seconds([Measured("pure", 1.0)], [], 5.0) == 0.0


def test_one_long_build_at_the_end_is_waited_for():
    done = [Measured("pure", 1.0)] * 100 + [Measured("native", 60.0)]
    assert remaining_seconds(done, [Open("native")], 20.0) >= 30.0
