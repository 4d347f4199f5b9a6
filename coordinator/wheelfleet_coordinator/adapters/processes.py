"""Processes that end with the one that started them, and marks by which they are known again.

A mark holds the start time beside the pid, so a pid that the kernel has given to another process
meanwhile is never taken for ours. Linux only.
"""

import asyncio
import contextlib
import ctypes
import os
import select
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

_PR_SET_PDEATHSIG = 1
_LOG_LIMIT = 4 * 1024 * 1024
_LOGS_KEPT = 3
_libc = ctypes.CDLL(None, use_errno=True)


class ProcessMark(msgspec.Struct, frozen=True):
    """One process for ever: ``started`` in clock ticks since the boot that ``boot`` names."""

    pid: int
    started: int
    boot: str


def mark_of(pid: int) -> ProcessMark | None:
    """The mark of a process that runs; None where it is gone or a zombie."""
    try:
        # The second field is the program's name in parentheses and may hold anything.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in {"Z", "X"} else ProcessMark(pid, int(fields[19]), _boot())


def is_running(mark: ProcessMark) -> bool:
    """Whether exactly this process still runs."""
    return mark_of(mark.pid) == mark


def uptime(mark: ProcessMark) -> float:
    """Seconds since the process started."""
    since_boot = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
    return max(0.0, since_boot - mark.started / os.sysconf("SC_CLK_TCK"))


def end_process(mark: ProcessMark, *, signal_number: int = signal.SIGTERM, grace: float) -> None:
    """The process is gone: asked with the signal, killed after ``grace`` seconds.

    Works for any process of this user, not only for children. Blocks.
    """
    with contextlib.suppress(ProcessLookupError), _process_descriptor(mark.pid) as descriptor:
        if not is_running(mark):
            return
        for number, seconds in ((signal_number, grace), (signal.SIGKILL, 10.0)):
            signal.pidfd_send_signal(descriptor, number)
            if select.select([descriptor], [], [], seconds)[0]:
                return


async def start_process(
    argv: Sequence[str | Path], *, env: Mapping[str, str], folder: Path, log: Path
) -> asyncio.subprocess.Process:
    """A child that writes to the log and gets SIGTERM when this process ends, however it ends.

    Call from the main thread: the kernel ties the signal to the thread that forks.
    """
    rotate(log)
    parent = os.getpid()

    def die_with_parent() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder,
            env={**os.environ, **env},
            # Nothing else runs between fork and exec. Other threads of ours only wait for children, without locks.
            preexec_fn=die_with_parent,
        )


async def stop_process(process: asyncio.subprocess.Process, *, grace: float) -> None:
    """The child is gone: asked with SIGTERM, killed after ``grace`` seconds."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), grace)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def rotate(log: Path) -> None:
    """The log exists, private to its owner, and is no larger than 4 MiB; three older ones are kept."""
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if log.exists() and log.stat().st_size > _LOG_LIMIT:
        for number in range(_LOGS_KEPT, 0, -1):
            older = log.with_name(f"{log.name}.{number - 1}") if number > 1 else log
            if older.exists():
                older.replace(log.with_name(f"{log.name}.{number}"))
    log.touch(mode=0o600)


def last_lines(log: Path, count: int = 15) -> str:
    """The end of a log, empty where there is none; reads at most 16 KiB."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16_384))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-count:])
    except OSError:
        return ""


@contextlib.contextmanager
def _process_descriptor(pid: int) -> Iterator[int]:
    descriptor = os.pidfd_open(pid)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
