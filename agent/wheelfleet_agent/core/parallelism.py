"""How many parallel jobs a build is told to run."""

from wheelfleet_shared.core.recipe import Needs


def parallel_jobs(needs: Needs, asked: int, share: int, cpus: int, memory_free: int) -> int:
    """The parallel jobs inside one build: as many as its cores and the free memory (bytes) carry, at least one.

    asked: the run's own number of cores, 0 for none; share: of the host's ``cpus`` where nothing else is
    said. A build that is alone on the host has all of them.
    """
    cores = asked or (cpus if needs.exclusive else share)
    return max(1, min(cores // max(1, needs.cores_per_job), memory_free // max(1, needs.memory_per_job)))
