"""What to do next about a build, whichever node it is for."""

from wheelfleet_shared.core.build import Build, Status

from .instructions import Instruction, Queue, Retry, Verify
from .standing import lock_is_broken
from .world import World


def build_steps(world: World, build: Build) -> list[Instruction]:
    """Verify, try again or queue, as the build stands."""
    match build.status:
        case Status.BUILT:
            return [Verify(build.id, build.fence)]
        case Status.ABORTED | Status.LOCKED if lock_is_broken(world, build):
            return []  # it is locked anew first
        case Status.ABORTED if build.wanted_by:
            return [Retry(build.id, len(build.aborts))]
        case Status.LOCKED if build.wanted_by:
            return [Queue(build.id)]
        case _:
            return []
