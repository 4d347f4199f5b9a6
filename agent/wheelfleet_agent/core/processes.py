"""What is said about one process of the host: how to start it, what it may use, how it ended."""

from pathlib import Path
from typing import Literal, Protocol

import msgspec

Reason = Literal["exited", "timeout_total", "timeout_silent", "out_of_memory", "disk_full"]


class Limits(msgspec.Struct, frozen=True):
    """What a process and its descendants may use; 0 means no limit of ours.

    timeout_total, timeout_silent: seconds in all, and without a byte of output. grace: seconds
    between TERM and KILL. disk, files: bytes and number of files in all writable folders; free_disk:
    bytes that must stay free beside them. file_size: bytes of one file. open_files, processes: of
    one process, of the user. address_space: bytes of one process; compilers and sanitizers map far
    more than they use, so it is off unless asked for.
    """

    timeout_total: float = 36_000.0
    timeout_silent: float = 3_600.0
    grace: float = 5.0
    disk: int = 0
    files: int = 0
    free_disk: int = 0
    file_size: int = 0
    open_files: int = 0
    processes: int = 0
    address_space: int = 0


class Command(msgspec.Struct, frozen=True):
    """A program to start. ``environment`` is all that it sees; ``writable`` is what ``limits.disk`` counts."""

    argv: tuple[str, ...]
    environment: dict[str, str]
    cwd: Path
    limits: Limits = Limits()
    writable: tuple[Path, ...] = ()


class Usage(msgspec.Struct, frozen=True):
    """What a process and its descendants used: CPU seconds, bytes of the largest process, wall seconds."""

    cpu: float = 0.0
    memory: int = 0
    wall: float = 0.0


class Finished(msgspec.Struct, frozen=True):
    """How a process ended. ``returncode`` is negative for the signal that killed it.

    tail: the last lines of its output, at most 200.
    """

    returncode: int
    reason: Reason
    tail: tuple[str, ...]
    usage: Usage = Usage()


class LogSink(Protocol):
    """Where output goes as it comes."""

    def write(self, data: bytes) -> None:
        """Keep the bytes, which are whole lines; never blocks."""


class Killed(msgspec.Struct, frozen=True):
    """Evidence about an end: whether it failed, and how often the kernel killed for want of memory meanwhile."""

    returncode: int
    oom_kills: int


def reason_of(end: Killed) -> Reason:
    """Why a process ended that nobody of ours stopped.

    The kernel's count is host-wide: a failure beside somebody else's kill is called
    ``out_of_memory`` too, and tried again, which is the safe side.
    """
    return "out_of_memory" if end.returncode != 0 and end.oom_kills > 0 else "exited"


def rlimits(limits: Limits, *, root: bool) -> dict[str, int]:
    """Names of the ``resource`` module, without RLIMIT_, and the values to set.

    No process limit for root: the kernel does not count root's processes against it.
    """
    wanted = {
        "FSIZE": limits.file_size,
        "NOFILE": limits.open_files,
        "NPROC": 0 if root else limits.processes,
        "AS": limits.address_space,
    }
    return {"CORE": 0, **{name: value for name, value in wanted.items() if value}}
