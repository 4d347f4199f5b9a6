"""Processes of the host, each with all its descendants under one roof: started, watched, ended."""

import asyncio
import marshal
import os
import signal
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from ..core.output import Output
from ..core.processes import Command, Finished, Killed, Limits, LogSink, Reason, Usage, reason_of, rlimits
from .disk_watch import watch_disk

_LAUNCH: Final = Path(__file__).with_name("launch.py")
_CHUNK: Final = 64 * 1024
_DRAIN: Final = 5.0
"""Seconds for the last output to arrive after all processes ended."""
_T = TypeVar("_T")


class _End(msgspec.Struct, frozen=True):
    """What the launcher reports; killed together with the program it reports nothing."""

    returncode: int = -int(signal.SIGKILL)
    cpu: float = 0.0
    memory: int = 0


class _Silence:
    """When a process last said something, in seconds of the loop's clock."""

    def __init__(self, now: float) -> None:
        self.last = now


async def run(command: Command, log: LogSink) -> Finished:
    """The program ended, on its own or stopped by a limit, and none of its descendants runs.

    Output goes to ``log`` as it comes, stdin is empty, the environment is the command's alone, the
    umask 022. When cancelled, CancelledError is raised after all processes ended. Raises
    OSError when the host cannot start processes; a program that is not there ends with 127.
    Cost: about 20 ms beside the program itself.
    """
    loop = asyncio.get_running_loop()
    started, kills_before = time.monotonic(), _oom_kills()
    output, silence = Output(log.write), _Silence(loop.time())
    process, report = await _start(command)
    reading = asyncio.create_task(_read(process, output, silence))
    stopped: Reason | None = None
    try:
        stopped = await _until_end(process, command, silence)
    finally:
        end = await _to_the_end(_stop(process, reading, report, command.limits.grace))
    output.close()
    reason = stopped or reason_of(Killed(end.returncode, _oom_kills() - kills_before))
    return Finished(end.returncode, reason, output.tail, Usage(end.cpu, end.memory, time.monotonic() - started))


async def _start(command: Command) -> tuple[asyncio.subprocess.Process, int]:
    """The launcher under way in a session of its own, and the descriptor that its report comes from."""
    reader, writer = os.pipe()
    # The launcher's own environment is empty: a loader variable of the build must not reach it, and
    # nothing that Python adds for itself reaches the build.
    plan = {
        "environment": command.environment,
        "limits": rlimits(command.limits, root=os.geteuid() == 0),
        "parent": os.getpid(),
        "grace": command.limits.grace,
        "report": writer,
    }
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", os.fspath(_LAUNCH), marshal.dumps(plan).hex(), *command.argv),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={},
            cwd=command.cwd,
            umask=0o022,
            start_new_session=True,
            pass_fds=(writer,),
        )
    except BaseException:
        os.close(reader)
        raise
    finally:
        os.close(writer)
    return process, reader


async def _read(process: asyncio.subprocess.Process, output: Output, silence: _Silence) -> None:
    loop = asyncio.get_running_loop()
    assert process.stdout is not None
    while chunk := await process.stdout.read(_CHUNK):
        silence.last = loop.time()
        output.feed(chunk)


async def _until_end(process: asyncio.subprocess.Process, command: Command, silence: _Silence) -> Reason | None:
    """None when the process ended on its own, else the limit that it broke."""
    limits = command.limits
    watches: dict[asyncio.Task[object], Reason | None] = {
        asyncio.create_task(process.wait()): None,
        asyncio.create_task(_until_silent(silence, limits)): "timeout_silent",
    }
    if limits.timeout_total:
        watches[asyncio.create_task(asyncio.sleep(limits.timeout_total))] = "timeout_total"
    if command.writable:
        watches[asyncio.create_task(watch_disk(command.writable, limits))] = "disk_full"
    try:
        done, _ = await asyncio.wait(watches, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for watch in watches:
            watch.cancel()
        await asyncio.gather(*watches, return_exceptions=True)
    for watch in done:
        watch.result()
    return None if process.returncode is not None else next(watches[watch] for watch in done)


async def _until_silent(silence: _Silence, limits: Limits) -> None:
    """Return when no byte came for ``timeout_silent`` seconds; never without such a limit."""
    loop = asyncio.get_running_loop()
    allowed = limits.timeout_silent or float("inf")
    while True:
        left = silence.last + allowed - loop.time()
        if left <= 0:
            return
        await asyncio.sleep(min(left, 3_600.0))


async def _stop(process: asyncio.subprocess.Process, reading: asyncio.Task[None], report: int, grace: float) -> _End:
    """TERM, then KILL for the group; on return nothing of it runs and its output was read."""
    if process.returncode is None:
        process.terminate()
        # The launcher itself kills after the grace; it is killed only when it does not manage to.
        await _wait(process, 2 * grace + 1.0)
    if process.returncode is None:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    await asyncio.wait([reading], timeout=_DRAIN)
    reading.cancel()
    with os.fdopen(report, "rb") as stream:
        data = stream.read() if process.returncode == 0 else b""
    return msgspec.json.decode(data, type=_End) if data else _End()


async def _wait(process: asyncio.subprocess.Process, seconds: float) -> None:
    waiting = asyncio.create_task(process.wait())
    await asyncio.wait([waiting], timeout=seconds)
    waiting.cancel()


async def _to_the_end(ending: Coroutine[object, object, _T]) -> _T:
    """The result of ``ending``, which is not cut short by further cancellations; they are raised after it."""
    task, cancelled = asyncio.ensure_future(ending), False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError
    return task.result()


def _oom_kills() -> int:
    """How often the kernel of this host killed for want of memory, since it started."""
    try:
        lines = Path("/proc/vmstat").read_text("ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)
