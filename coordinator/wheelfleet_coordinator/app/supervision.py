"""Parts that are started in order, kept running, and stopped in reverse order."""

import asyncio
import contextlib
import logging
from asyncio.subprocess import Process
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from wheelfleet_shared.errors import InfrastructureError, WheelfleetError

from ..adapters.processes import last_lines, start_process, stop_process
from ..adapters.servers import READY_WITHIN, until_ready

MOST_DEATHS = 5
"""A part that ends more often than this within ``DEATHS_WITHIN`` seconds brings the cluster down."""
DEATHS_WITHIN = 60.0
_BETWEEN_PROBES = 0.05
_log = logging.getLogger(__name__)


class ChildSpec(NamedTuple):
    """A daemon of ours: how it is started, and what answers True once it is ready."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    ready: Callable[[], Awaitable[bool]]


async def _always() -> bool:
    return True


class Part(NamedTuple):
    """One process of the cluster.

    ``start`` returns it when it is ready, or raises WheelfleetError. ``ready`` tells whether it
    still is: a part that runs on may need a moment after another was started again. ``waits``:
    it may be started before the others are ready, and waits for them itself.
    """

    name: str
    log: Path
    start: Callable[[], Awaitable[Process]]
    ready: Callable[[], Awaitable[bool]] = _always
    waits: bool = False


def part_of(child: ChildSpec, *, folder: Path, log: Path) -> Part:
    """The part that runs a daemon of ours in ``folder``."""

    async def start() -> Process:
        process = await start_process(child.argv, env=child.env, folder=folder, log=log)
        await until_ready(child.name, process, child.ready, log)
        return process

    return Part(child.name, log, start, child.ready, waits=True)


async def run_parts(
    parts: Sequence[Part],
    on_change: Callable[[Mapping[str, Process]], None],
    grace: Callable[[], float],
) -> None:
    """Start the parts and start each again that ends, until cancelled; then all are stopped.

    Those that wait for others are started at once, the others in order. ``on_change``: called with
    those that run after each start and each end. ``grace``: seconds that a part may take to stop,
    asked then. Raises WheelfleetError when a part cannot be started at first or keeps ending;
    nothing runs any more then either.
    """
    running: dict[str, Process] = {}
    try:
        async with asyncio.TaskGroup() as group:
            for those in ([part for part in parts if not part.waits], *([part] for part in parts if part.waits)):
                group.create_task(_start_in_order(those, running, on_change))
        async with asyncio.TaskGroup() as group:
            for part in parts:
                group.create_task(_keep_running(part, parts, running, on_change))
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    finally:
        for part in reversed(parts):
            if part.name in running:
                await stop_process(running[part.name], grace=grace())


async def _start_in_order(
    parts: Sequence[Part], running: dict[str, Process], on_change: Callable[[Mapping[str, Process]], None]
) -> None:
    for part in parts:
        running[part.name] = await part.start()
        on_change(running)


async def _keep_running(
    part: Part,
    parts: Sequence[Part],
    running: dict[str, Process],
    on_change: Callable[[Mapping[str, Process]], None],
) -> None:
    deaths: deque[float] = deque(maxlen=MOST_DEATHS + 1)
    while True:
        if part.name in running:
            status = await running[part.name].wait()
            del running[part.name]
            on_change(running)
            _log.warning("%s ended with status %s; it is started again", part.name, status)
        await _back_off(part, deaths)
        try:
            running[part.name] = await part.start()
        except WheelfleetError as error:
            _log.warning("%s", error)
        else:
            await _all_ready(parts)
            on_change(running)


async def _all_ready(parts: Sequence[Part]) -> None:
    """All parts are ready, or half a minute has gone by: what runs unready then is better seen than hidden."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(READY_WITHIN):
            for part in parts:
                while not await part.ready():  # noqa: ASYNC110  # other processes set no event of ours
                    await asyncio.sleep(_BETWEEN_PROBES)


async def _back_off(part: Part, deaths: deque[float]) -> None:
    now = asyncio.get_running_loop().time()
    deaths.append(now)
    recent = sum(now - death < DEATHS_WITHIN for death in deaths)
    if recent > MOST_DEATHS:
        raise InfrastructureError(
            f"{part.name} ended {recent} times within a minute; the end of {part.log}:\n{last_lines(part.log)}",
            f"read {part.log}",
        )
    # At once after the first death, then 0.2 s, 0.4 s, … 1.6 s.
    await asyncio.sleep(0.1 * 2 ** (recent - 1) if recent > 1 else 0)
