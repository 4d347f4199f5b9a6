"""What an agent decides by itself: who is let in beside whom, and how wide a build may run."""

import pytest

from wheelfleet_agent.core.parallelism import parallel_jobs
from wheelfleet_agent.core.room import Room
from wheelfleet_shared.core.recipe import GIB, Needs


def test_one_that_must_be_alone_is_alone():
    room = Room()
    assert room.enter(alone=False)
    assert room.enter(alone=False)
    assert not room.enter(alone=True)
    room.leave()
    assert not room.enter(alone=True)
    room.leave()
    assert room.enter(alone=True)
    assert not room.enter(alone=False)
    assert not room.enter(alone=True)
    room.leave()
    assert room.enter(alone=False)


@pytest.mark.parametrize(
    ("needs", "asked", "free", "jobs"),
    [
        (Needs(), 0, 64, 4),
        (Needs(), 12, 64, 12),
        (Needs(), 0, 3, 3),
        (Needs(), 0, 0, 1),
        (Needs(cores_per_job=2), 0, 64, 2),
        (Needs(cores_per_job=5), 0, 64, 1),
        (Needs(memory_per_job=24 * GIB), 0, 64, 2),
        (Needs(memory_per_job=GIB // 4), 0, 1, 4),
        (Needs(exclusive=True), 0, 64, 16),
        (Needs(exclusive=True), 6, 64, 6),
        (Needs(exclusive=True, cores_per_job=4, memory_per_job=2 * GIB), 0, 6, 3),
        (Needs(cores_per_job=0, memory_per_job=0), 0, 1, 4),
    ],
)
def test_cores_and_memory_bound_the_jobs_inside_a_build(needs, asked, free, jobs):
    assert parallel_jobs(needs, asked, share=4, cpus=16, memory_free=free * GIB) == jobs
