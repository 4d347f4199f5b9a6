"""The supervisor of an embedded cluster, a detached process: ``python -m wheelfleet_coordinator.app.supervise``."""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from wheelfleet_shared.errors import InfrastructureError, WheelfleetError

from ..adapters.processes import ProcessMark, end_process, mark_of
from ..adapters.servers import start_juicefs, start_nats
from .cluster_files import AgentWishes, Layout, PartMark, Setup, set_up, try_lock
from .embedded_children import idle_seconds, our_children
from .supervision import ChildSpec, Part, part_of, run_parts

GRACE = 30.0
"""Seconds that a part may take to stop; ``GRACE_NOW`` when asked to stop at once."""
GRACE_NOW = 2.0
_IDLE_QUESTIONS = 30.0
_log = logging.getLogger(__name__)

Idle = Callable[[], Awaitable[float]]


def main(
    children: Callable[[Layout, Setup], Sequence[ChildSpec]] = our_children,
    idle: Callable[[Setup], Idle] = idle_seconds,
) -> int:
    """Supervise until told to stop, or idle; 0 after an orderly end.

    Detaches first: the process that was started returns at once, and what goes on belongs to no
    terminal. ``children``: the daemons beside the two servers. ``idle``: makes the question for how
    many seconds nothing has happened.
    """
    options = _parser().parse_args()
    if os.fork():
        os._exit(0)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    layout = Layout(options.data)
    with try_lock(layout.supervisor_lock) as lock:
        if lock is None:
            _log.error("another supervisor has locked %s", layout.supervisor_lock)
            return 1
        try:
            asyncio.run(_supervise(layout, lock, options, children, idle))
        except WheelfleetError as error:
            _log.error("%s", error)  # its text says all; a traceback would bury it
            return error.exit_code
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True, help="the data folder")
    parser.add_argument("--ready-fd", type=int, required=True, help="descriptor told when all parts are ready")
    parser.add_argument("--idle-after", type=float, required=True, help="seconds without work after which to stop")
    parser.add_argument("--wishes", default="{}", help="what is asked of the agent, as JSON")
    return parser


async def _supervise(
    layout: Layout,
    lock: int,
    options: argparse.Namespace,
    children: Callable[[Layout, Setup], Sequence[ChildSpec]],
    idle: Callable[[Setup], Idle],
) -> None:
    me = _record_supervisor(lock)
    _end_leftovers(layout)
    setup = set_up(layout, msgspec.json.decode(options.wishes, type=AgentWishes))
    parts = [*_servers(layout, setup), *(_part(layout, child) for child in children(layout, setup))]

    def publish(running: Mapping[str, Process]) -> None:
        ordered = {part.name: running[part.name] for part in parts if part.name in running}
        _publish(layout, setup, me, ordered, complete=len(running) == len(parts))
        if len(running) == len(parts):
            _tell_ready(options.ready_fd)

    work = _Work(parts, publish)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, work.stop, GRACE)
    loop.add_signal_handler(signal.SIGINT, work.stop, GRACE_NOW)
    watcher = asyncio.create_task(_stop_when_idle(layout, idle(setup), options.idle_after, work))
    try:
        await work.ended()
    finally:
        watcher.cancel()
        layout.cluster.unlink(missing_ok=True)
        layout.parts.unlink(missing_ok=True)


class _Work:
    """The parts as they run, until told to stop."""

    def __init__(self, parts: Sequence[Part], publish: Callable[[Mapping[str, Process]], None]) -> None:
        self._grace = GRACE
        self._stopping = False
        self._task = asyncio.create_task(run_parts(parts, publish, lambda: self._grace))

    def stop(self, grace: float) -> None:
        """The parts stop, each within ``grace`` seconds; asked again, a shorter grace holds from the next part on."""
        self._grace = min(self._grace, grace)
        if not self._stopping:
            self._stopping = True
            self._task.cancel()

    async def ended(self) -> None:
        """All parts have stopped. Raises WheelfleetError where one could not be kept running."""
        try:
            await self._task
        except asyncio.CancelledError:
            _log.info("stopped in order")


def _record_supervisor(lock: int) -> ProcessMark:
    me = mark_of(os.getpid())
    if me is None:
        raise InfrastructureError("/proc does not show this process", "mount /proc")
    os.truncate(lock, 0)
    os.pwrite(lock, msgspec.json.encode(me), 0)
    return me


def _end_leftovers(layout: Layout) -> None:
    """No process that a supervisor before us started runs any more; two servers must never share a store."""
    layout.cluster.unlink(missing_ok=True)
    with contextlib.suppress(FileNotFoundError, msgspec.DecodeError):
        for part in msgspec.json.decode(layout.parts.read_bytes(), type=tuple[PartMark, ...]):
            end_process(part.mark, grace=5)


def _servers(layout: Layout, setup: Setup) -> list[Part]:
    nats, store = layout.log("nats-server"), layout.log("juicefs")
    return [
        # The store first: the daemons, started beside the servers, wait for NATS alone.
        Part("juicefs", store, lambda: start_juicefs(layout.data / "store", setup.store, setup.ports.store, store)),
        Part("nats-server", nats, lambda: start_nats(setup.nats, layout.data / "nats", nats)),
    ]


def _part(layout: Layout, child: ChildSpec) -> Part:
    return part_of(child, folder=layout.data, log=layout.log(child.name))


def _publish(layout: Layout, setup: Setup, me: ProcessMark, running: Mapping[str, Process], *, complete: bool) -> None:
    """The files tell who runs; those who attach see a cluster only while it is complete."""
    marks = tuple(
        PartMark(name, mark) for name, process in running.items() if (mark := mark_of(process.pid)) is not None
    )
    _replace(layout.parts, msgspec.json.encode(marks))
    if complete:
        _replace(layout.cluster, msgspec.json.format(msgspec.json.encode(setup.cluster(layout, me, marks))))
    else:
        layout.cluster.unlink(missing_ok=True)


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_suffix(".new")
    temporary.write_bytes(data)
    temporary.replace(path)


def _tell_ready(descriptor: int) -> None:
    """Only the first time, and only where the one who started us still listens."""
    with contextlib.suppress(OSError):
        os.write(descriptor, b"ready")
        os.close(descriptor)


async def _stop_when_idle(layout: Layout, idle: Idle, after: float, work: _Work) -> None:
    while True:
        await asyncio.sleep(min(_IDLE_QUESTIONS, after / 4))
        try:
            seconds = await idle()
        except WheelfleetError as error:
            _log.info("whether the cluster is idle is unknown: %s", error.what)
            continue
        if seconds >= after and _retire(layout, after):
            _log.info("idle for %.0f s", seconds)
            work.stop(GRACE)
            return


def _retire(layout: Layout, after: float) -> bool:
    """Nobody has attached for ``after`` seconds, and nobody will any more; False otherwise.

    Under the lock of those who attach: who came before keeps us up, who comes later sees no cluster
    and waits for the next.
    """
    with try_lock(layout.attach_lock) as lock:
        if lock is None or time.time() - os.fstat(lock).st_mtime < after:
            return False
        layout.cluster.unlink(missing_ok=True)
        return True


if __name__ == "__main__":
    sys.exit(main())
