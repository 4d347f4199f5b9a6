"""Attach to the cluster in a data folder, starting it where none runs; stop it; tell how it is."""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from wheelfleet_shared.adapters.make_credentials import read_private
from wheelfleet_shared.core.configuration import AgentConfig, decode_config
from wheelfleet_shared.errors import InfrastructureError, InputError

from ..adapters.processes import ProcessMark, end_process, is_running, last_lines, rotate, uptime
from .cluster_files import AgentWishes, Cluster, Layout, try_lock

IDLE_AFTER = 600.0
"""Seconds without work and without anybody who attaches after which a cluster stops by itself."""
READY_WITHIN = 90.0
"""Seconds that a start may take; about two on an idle machine."""
STOPPED_WITHIN = 150.0
SUPERVISOR = (sys.executable, "-m", "wheelfleet_coordinator.app.supervise")
_BETWEEN_LOOKS = 0.05


class PartStatus(msgspec.Struct, frozen=True):
    """One process of a cluster; ``uptime`` in seconds."""

    name: str
    pid: int
    uptime: float


class ClusterStatus(msgspec.Struct, frozen=True):
    """The cluster of a data folder. ``place``: the folder. ``size``: bytes of all files below it.

    cluster: None while it does not run or is not complete. parts: the supervisor first.
    """

    place: str
    size: int
    cluster: Cluster | None
    parts: tuple[PartStatus, ...]


def attach(
    data: Path,
    *,
    supervisor: Sequence[str] = SUPERVISOR,
    within: float = READY_WITHIN,
    idle_after: float = IDLE_AFTER,
    wishes: AgentWishes = AgentWishes(),  # noqa: B008 - immutable
    on_start: Callable[[], None] = lambda: None,
) -> Cluster:
    """The cluster of the data folder, all parts ready; started where none runs. Blocks.

    However many attach at once, one cluster starts. ``supervisor``: the command that supervises.
    ``on_start`` is called before this one starts it, or waits for another one to.
    Raises InfrastructureError with the end of the log when it is not ready ``within`` seconds, and
    InputError where it runs with another agent than is wished for.
    Cost: some milliseconds when it runs, about two seconds when it has to start.
    """
    layout = Layout(data.absolute())
    layout.prepare()
    deadline = time.monotonic() + within
    if _complete_cluster(layout) is None:
        on_start()
    with _attach_lock(layout, deadline):
        os.utime(layout.attach_lock)
        while not _supervisor_free(layout):
            if cluster := _complete_cluster(layout):
                _require_wishes(layout, wishes)
                return cluster
            # It is starting, stopping, or starts a part again.
            _look_again(layout, deadline)
        _start(layout, (*supervisor, *_arguments(idle_after, wishes)), deadline)
        if cluster := _complete_cluster(layout):
            return cluster
    raise InfrastructureError(f"the cluster in {data} stopped right after its start", f"read {layout.logs}")


def is_up(data: Path) -> bool:
    """Whether a supervisor of the data folder runs, whatever state its cluster is in. Takes no lock."""
    with contextlib.suppress(OSError, msgspec.DecodeError):
        return is_running(msgspec.json.decode(Layout(data.absolute()).supervisor_lock.read_bytes(), type=ProcessMark))
    return False


def down(data: Path, *, now: bool = False) -> bool:
    """The cluster of the data folder does not run; whether it did. Blocks until all its parts are gone.

    The parts stop in order, each with half a minute to finish; ``now``: with two seconds.
    What is stored stays, and the next attach goes on from there.
    """
    layout = Layout(data.absolute())
    mark = _supervisor(layout)
    if mark is None:
        return False
    end_process(mark, signal_number=signal.SIGINT if now else signal.SIGTERM, grace=STOPPED_WITHIN)
    return True


def status(data: Path) -> ClusterStatus:
    """How the cluster of the data folder is; starts nothing. Cost: one stat a file."""
    layout = Layout(data.absolute())
    supervisor = _supervisor(layout)
    cluster = _complete_cluster(layout) if supervisor else None
    marks = [("supervisor", supervisor)] if supervisor else []
    marks += [(part.name, part.mark) for part in cluster.parts] if cluster else []
    parts = tuple(PartStatus(name, mark.pid, uptime(mark)) for name, mark in marks)
    return ClusterStatus(str(layout.data), _size(layout.data), cluster, parts)


@contextlib.contextmanager
def _attach_lock(layout: Layout, deadline: float) -> Iterator[None]:
    while True:
        with try_lock(layout.attach_lock) as lock:
            if lock is not None:
                yield
                return
        _look_again(layout, deadline)


def _look_again(layout: Layout, deadline: float) -> None:
    if time.monotonic() > deadline:
        raise InfrastructureError(
            f"the cluster in {layout.data} did not become ready; the end of its log:\n"
            f"{last_lines(layout.log('supervisor'))}",
            f"read {layout.logs}, or stop it with `wheelfleet down --now`",
        )
    time.sleep(_BETWEEN_LOOKS)


def _supervisor_free(layout: Layout) -> bool:
    with try_lock(layout.supervisor_lock) as lock:
        return lock is not None


def _supervisor(layout: Layout) -> ProcessMark | None:
    """The supervisor that runs; None for none."""
    if not layout.supervisor_lock.exists() or _supervisor_free(layout):
        return None
    with contextlib.suppress(msgspec.DecodeError):
        mark = msgspec.json.decode(layout.supervisor_lock.read_bytes(), type=ProcessMark)
        return mark if is_running(mark) else None
    return None


def _complete_cluster(layout: Layout) -> Cluster | None:
    """The cluster where every process of it runs at this moment, else None."""
    try:
        cluster = msgspec.json.decode(layout.cluster.read_bytes(), type=Cluster)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    alive = all(is_running(mark) for mark in (cluster.supervisor, *(part.mark for part in cluster.parts)))
    return cluster if alive else None


def _start(layout: Layout, supervisor: Sequence[str], deadline: float) -> None:
    """A new supervisor has told that all parts are ready."""
    log = layout.log("supervisor")
    rotate(log)
    told, tells = os.pipe()
    argv = [*supervisor, "--data", str(layout.data), "--ready-fd", str(tells)]
    try:
        with log.open("ab") as output:
            subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=layout.data,
                env=_environment(),
                pass_fds=(tells,),
                start_new_session=True,
                check=False,
            )
    finally:
        os.close(tells)
    try:
        # The pipe ends without a word when the supervisor ends.
        remaining = max(0.0, deadline - time.monotonic())
        ready = bool(select.select([told], [], [], remaining)[0]) and os.read(told, 16) == b"ready"
    finally:
        os.close(told)
    if not ready:
        raise InfrastructureError(
            f"the cluster in {layout.data} could not be started; the end of its log:\n{last_lines(log)}",
            f"read {layout.logs}",
        )


def _arguments(idle_after: float, wishes: AgentWishes) -> tuple[str, ...]:
    return "--idle-after", str(idle_after), "--wishes", msgspec.json.encode(wishes).decode()


def _require_wishes(layout: Layout, wishes: AgentWishes) -> None:
    agent = decode_config(read_private(layout.data / "agent.json"), AgentConfig)
    conflict = wishes.conflict(agent)
    if conflict:
        raise InputError(f"the cluster in {layout.data} runs with {conflict}", "stop it with: wheelfleet down")


def _environment() -> dict[str, str]:
    """Ours, with the import path made absolute, since the supervisor runs in its data folder."""
    path = os.environ.get("PYTHONPATH")
    if not path:
        return dict(os.environ)
    absolute = os.pathsep.join(str(Path(entry).absolute()) for entry in path.split(os.pathsep) if entry)
    return {**os.environ, "PYTHONPATH": absolute}


def _size(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):  # files come and go while the cluster runs
                total += (Path(place) / name).lstat().st_size
    return total
