"""A run watched until it ends: questions to the coordinator, and what to show in between."""

import asyncio
import time
from typing import Protocol

from wheelfleet_shared.core import messages as m
from wheelfleet_shared.errors import InfrastructureError, InputError
from wheelfleet_shared.names import RunId

from .connection import ClusterStopped, Link
from .interruption import WatchingStopped
from .logging_setup import TOLD

PERIOD = 1 / 3
"""Seconds between two looks, where the coordinator answers fast."""
SHARE = 10
"""How many times longer than the answer took the pause is: watching must not slow a coordinator down."""
READ_WITHIN = 20.0
"""Seconds in which a coordinator has read of a run that was just queued."""
ENDED = frozenset({"succeeded", "failed", "cancelled"})
EXIT_CODES = {"succeeded": 0, "failed": 1, "cancelled": 4}


class Screen(Protocol):
    """Where a run is shown."""

    def show(self, progress: m.Progress) -> None:
        """The run as it is now; milestones are only those since the last look."""

    def close(self) -> None:
        """Nothing more will be shown."""


async def watch(link: Link, run: RunId, screen: Screen) -> m.Progress:
    """The run when it has ended.

    Raises WatchingStopped on Ctrl-C; InfrastructureError, which names the way back to the run, where
    the cluster was stopped, or no coordinator answers for a while.
    """
    since = 0
    try:
        while True:
            asked = time.monotonic()
            progress = await _progress(link, run, since)
            took = time.monotonic() - asked
            screen.show(progress)
            _log(progress)
            if progress.status in ENDED:
                return progress
            since = progress.through
            await asyncio.sleep(max(PERIOD, SHARE * took))
    except asyncio.CancelledError:
        raise WatchingStopped(run) from None
    except ClusterStopped as error:
        raise InfrastructureError(error.what, f"start it again and watch on: wheelfleet wait {run}") from error
    except InfrastructureError as error:
        what = f"the cluster is out of reach ({error.what})"
        raise InfrastructureError(what, f"the run goes on when it is there again: wheelfleet wait {run}") from error
    finally:
        screen.close()


def _log(progress: m.Progress) -> None:
    """What is shown stands in the log file, too, and failures of an ended run in the file for errors."""
    for milestone in progress.milestones:
        TOLD.info(milestone.text)
    for failure in progress.failures if progress.status in ENDED else ():
        TOLD.error("%s: failed: %s", failure.node.replace("==", "-"), failure.line)


async def _progress(link: Link, run: RunId, since: int) -> m.Progress:
    """The run as it is; a run that is unknown is asked for again, since each coordinator reads the log by itself."""
    end = time.monotonic() + READ_WITHIN
    while True:
        try:
            return await link.ask(m.ProgressAsk(run, since), m.Progress)
        except InputError:
            if time.monotonic() > end:
                raise
        await asyncio.sleep(PERIOD)
