"""What to do next about a run as a whole: go on, leave its builds, or end."""

from collections.abc import Mapping

from wheelfleet_shared.core.build import Status
from wheelfleet_shared.core.run import Run
from wheelfleet_shared.names import RunId

from .instructions import Abandon, Finish, Instruction
from .stale_pages import Page, awaits_pages
from .world import World

_NOTHING_TO_ABANDON = frozenset({Status.ABSENT, Status.SUCCEEDED, Status.SATISFIED, Status.FAILED, Status.CANCELLED})


def run_steps(
    world: World, run: RunId, counts: tuple[int, int], stale: Mapping[Page, int], *, is_open: bool
) -> list[Instruction]:
    """End a run that has nothing left to do, once the pages of its nodes are written; one that stops leaves first.

    counts: of good and bad nodes. is_open: something of it may still move.
    """
    state = world.runs.get(run)
    if state is None or state.submitted is None or state.finished is not None:
        return []
    good, bad = counts
    if is_stopped(state, bad):
        outcome = Finish(run, "cancelled" if state.cancel is not None else "failed", good, bad)
        return _builds_to_abandon(world, run) or [outcome]
    if is_open or awaits_pages(stale, state.submitted.index, world.graphs_of(run)):
        return []
    # Who takes every version counts on some that cannot be built.
    failed = bad and not state.submitted.options.multiple_versions
    return [Finish(run, "failed" if failed else "succeeded", good, bad)]


def is_stopped(run: Run, failures: int) -> bool:
    """Whether the run starts nothing more: cancelled, or failed and not to go on."""
    fail_fast = run.submitted is not None and run.submitted.options.fail_fast
    return run.cancel is not None or (fail_fast and failures > 0)


def _builds_to_abandon(world: World, run: RunId) -> list[Instruction]:
    """Leave the builds that a stopped run still wants."""
    wanted = [
        build.id
        for status, builds in world.by_status.items()
        if status not in _NOTHING_TO_ABANDON
        for build in (world.build(found) for found in builds)
        if run in build.wanted_by and not build.ended
    ]
    return [Abandon(build, run) for build in wanted]
