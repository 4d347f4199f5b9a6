"""What this machine is, and what an interpreter on it is."""

import asyncio
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import packaging

from wheelfleet_shared.errors import InputError

from ..core.interpreters import InterpreterFacts

_SCRIPT: Final = Path(__file__).with_name("interpreter_facts.py")
_PACKAGING: Final = Path(packaging.__file__).parent.parent
_SECONDS: Final = 60.0
_CGROUP: Final = Path("/sys/fs/cgroup")


class Machine(NamedTuple):
    """What builds may use here now: CPUs, bytes of memory in all and free, bytes of disk free."""

    cpus: int
    memory: int
    memory_free: int
    disk_free: int


async def probe_interpreter(interpreter: Path) -> InterpreterFacts:
    """What the interpreter says of itself, by our ``packaging`` and not by one that it may have.

    Raises InputError for what is no working Python. Cost: about 0.1 s.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            interpreter,
            *("-I", "-S", "-B", str(_SCRIPT), str(_PACKAGING)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
        )
    except OSError as error:
        raise InputError(f"{interpreter} cannot be started: {error}", "name a Python interpreter") from None
    try:
        async with asyncio.timeout(_SECONDS):
            output, complaint = await process.communicate()
        return msgspec.json.decode(output, type=InterpreterFacts, dec_hook=_path)
    except (TimeoutError, msgspec.MsgspecError):
        said = complaint.decode("utf-8", "replace").strip() if process.returncode is not None else "no answer"
        raise InputError(f"{interpreter} is no Python that can be used: {said}", "name another interpreter") from None
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def probe_machine(folder: Path) -> Machine:
    """CPUs and memory as the kernel and a container's limits (cgroup v2) allow; the disk is that of ``folder``."""
    said = _meminfo()
    limit = _number(_CGROUP / "memory.max") or said["MemTotal"]
    used = _number(_CGROUP / "memory.current") or 0
    memory = min(said["MemTotal"], limit)
    free = min(said["MemAvailable"], max(0, limit - used))
    return Machine(_cpus(), memory, free, shutil.disk_usage(folder).free)


def _cpus() -> int:
    """The CPUs that we may run on, fewer where a quota gives less time; at least 1."""
    allowed = len(os.sched_getaffinity(0))
    with suppress(OSError, ValueError):
        quota, period = (_CGROUP / "cpu.max").read_text("ascii").split()
        return max(1, min(allowed, int(quota) // int(period)))
    return allowed


def _meminfo() -> dict[str, int]:
    """Bytes by name, from /proc/meminfo."""
    lines = Path("/proc/meminfo").read_text("ascii").splitlines()
    pairs = (line.partition(":")[::2] for line in lines)
    return {name: int(value.split()[0]) * 1024 for name, value in pairs}


def _number(path: Path) -> int | None:
    """The number in the file; None for ``max`` or where there is no such file."""
    try:
        return int(path.read_text("ascii"))
    except (OSError, ValueError):
        return None


def _path(kind: type, value: object) -> object:
    """Lets msgspec read paths."""
    return kind(value)
