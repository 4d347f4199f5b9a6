"""What a command and all that it leaves running cost: CPU, memory, and how many hooks run at a time."""

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_EVERY = 0.15
"""Seconds between looks; hooks that take less may be missed."""


class Process(NamedTuple):
    """A line of the process table: seconds of CPU of itself, and of its children that have ended; bytes resident."""

    pid: int
    parent: int
    own: float
    ended: float
    memory: int


class Figures(NamedTuple):
    """Seconds of wall and CPU, bytes at the peak, shares of the wall with a hook running and with two or more.

    parts: CPU seconds by process; what a process started and saw the end of counts apart.
    """

    wall: float
    cpu: float
    peak: int
    one: float
    two: float
    busy: float
    parts: dict[str, float]


def table() -> dict[int, Process]:
    """All processes now."""
    found = {}
    for entry in os.listdir("/proc"):  # noqa: PTH208 - twice as fast as a Path for each
        if not entry.isdecimal():
            continue
        try:
            fields = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        own, ended = (sum(int(field) for field in part) / _TICKS for part in (fields[11:13], fields[13:15]))
        found[int(entry)] = Process(int(entry), int(fields[1]), own, ended, int(fields[21]) * _PAGE)
    return found


def servers_cpu() -> dict[str, float]:
    """Seconds of CPU of each process that this one started and that runs, by its program's name."""
    started = [process for process in table().values() if process.parent == os.getpid()]
    return {Path(f"/proc/{each.pid}/comm").read_text().strip(): each.own for each in started}


def trees(processes: Mapping[int, Process], roots: Iterable[int]) -> dict[int, Process]:
    """The roots that run, and all that come from them."""
    below: dict[int, list[int]] = {}
    for process in processes.values():
        below.setdefault(process.parent, []).append(process.pid)
    found: dict[int, Process] = {}
    stack = [root for root in roots if root in processes]
    while stack:
        pid = stack.pop()
        if pid not in found:
            found[pid] = processes[pid]
            stack.extend(below.get(pid, ()))
    return found


def busy_seconds() -> float:
    """CPU seconds of the whole machine that were not idle, since its start."""
    fields = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / _TICKS


def carrying(variable: str, known: dict[int, bool]) -> list[int]:
    """Processes whose environment has this line. ``known``: what was found of each before."""
    for pid in {int(entry) for entry in os.listdir("/proc") if entry.isdecimal()} - known.keys():  # noqa: PTH208
        try:
            known[pid] = variable.encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except OSError:
            continue
    return [pid for pid, has in known.items() if has]


def hooks_among(processes: Iterable[int], is_hook: Callable[[str], bool]) -> int:
    """How many of the processes are hooks, by their command lines."""
    count = 0
    for pid in processes:
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        count += is_hook(line)
    return count


def command_of(pid: int) -> str:
    """The program and its module, as a name for people."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return "ended"
    module = words[words.index("-m") + 1] if "-m" in words else ""
    return module or Path(words[0]).name


class _Watch(threading.Thread):
    """Looks at the trees now and then; ``cpu`` is the sum when last seen, of each tree's processes."""

    def __init__(self, root: int, variable: str, is_hook: Callable[[str], bool]) -> None:
        super().__init__(daemon=True)
        self._root = root
        self._variable = variable
        self._is_hook = is_hook
        self._known: dict[int, bool] = {}
        self._ended = threading.Event()
        self.peak = 0
        self.looks: list[int] = []

    def now(self) -> dict[int, Process]:
        roots = carrying(self._variable, self._known)
        return trees(table(), [self._root, *roots])

    def run(self) -> None:
        while not self._ended.wait(_EVERY):
            found = self.now()
            self.peak = max(self.peak, sum(process.memory for process in found.values()))
            self.looks.append(hooks_among(found, self._is_hook))

    def stop(self) -> None:
        self._ended.set()
        self.join()


def measured(
    argv: Sequence[str | Path], cwd: Path, environment: Mapping[str, str], variable: str, is_hook: Callable[[str], bool]
) -> Figures:
    """The command, run to its end, with what carries ``variable`` in its environment and still runs.

    Raises AssertionError, with the end of its output, where it fails.
    """
    output = cwd / "output"
    machine, start = busy_seconds(), time.perf_counter()
    with output.open("wb") as stream:
        process = subprocess.Popen(argv, cwd=cwd, env=dict(environment), stdout=stream, stderr=stream)
        watch = _Watch(process.pid, variable, is_hook)
        watch.start()
        _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    watch.stop()
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, output.read_text()[-3000:]
    parts = {"the command and what it started": used.ru_utime + used.ru_stime}
    for found in watch.now().values():
        name = command_of(found.pid)
        parts[name] = parts.get(name, 0.0) + found.own
        parts[f"started by {name}"] = parts.get(f"started by {name}", 0.0) + found.ended
    count = max(1, len(watch.looks))
    return Figures(
        wall=wall,
        cpu=sum(parts.values()),
        peak=watch.peak,
        one=sum(hooks >= 1 for hooks in watch.looks) / count,
        two=sum(hooks >= 2 for hooks in watch.looks) / count,
        busy=(busy_seconds() - machine) / wall / (os.cpu_count() or 1),
        parts=parts,
    )
