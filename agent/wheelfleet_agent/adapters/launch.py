"""Starts one program under limits and leaves no descendant behind; run as a script.

Standard library only, and little of it: every hook waits for this start, and pathlib and json alone
would double what it costs. It is started by path, before anything of a build. It is the *subreaper* of
all that the program starts, so a daemon that left its session still becomes its child and is killed
when the program ends. Limits are set here rather than between fork and exec of the agent, where
Python code is not safe beside threads.

Arguments: a plan {environment, limits, parent, grace, report}, marshalled by the same Python and in
hexadecimal digits, then the program's argv. On exit the JSON {returncode, cpu, memory} has been
written to the descriptor ``report``.
"""

import ctypes
import marshal
import os
import resource
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_NOT_STARTED = 127


def main() -> int:
    """The program has ended, nothing of it runs, and its end was reported."""
    plan = marshal.loads(bytes.fromhex(sys.argv[1]))  # noqa: S302 - the agent wrote it
    os.set_inheritable(plan["report"], False)
    _become_guardian(plan["parent"])
    guardian = os.getpid()
    child = os.fork()
    if child == 0:
        _end_with_parent(guardian, signal.SIGKILL)
        _become(sys.argv[2:], plan["environment"], plan["limits"])
    _stop_on_signal(child, plan["grace"])
    status = _wait_for(child)
    signal.alarm(0)
    _kill_descendants()
    os.write(plan["report"], _account(status).encode())
    return 0


def _become_guardian(parent: int) -> None:
    """Orphans come to us, and we hear of the agent's death, also when it died before we asked."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    _end_with_parent(parent, signal.SIGTERM)


def _end_with_parent(parent: int, by: signal.Signals) -> None:
    """The signal comes when the parent dies; a parent that is dead by now ends us at once."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, by, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(_NOT_STARTED)


def _become(argv: list[str], environment: dict[str, str], limits: dict[str, int]) -> "NoReturn":
    """Turn into the program, under limits, the first to go when memory runs out."""
    try:
        with open("/proc/self/oom_score_adj", "wb", buffering=0) as score:  # noqa: PTH123 - see the top
            score.write(b"500")
        for name, value in limits.items():
            _limit(getattr(resource, f"RLIMIT_{name}"), value)
        for ignored_by_python in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(ignored_by_python, signal.SIG_DFL)
        os.execvpe(argv[0], argv, environment)  # noqa: S606 - a shell is what must not stand between
    except OSError as error:
        sys.stderr.write(f"{argv[0]} cannot be started: {error}\n")
        sys.stderr.flush()
    finally:
        os._exit(_NOT_STARTED)


def _limit(kind: int, value: int) -> None:
    """Set soft and hard limit, never above the hard limit that holds already."""
    hard = resource.getrlimit(kind)[1]
    bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (bound, bound))


def _stop_on_signal(child: int, grace: float) -> None:
    """TERM goes to the whole group, and KILL to the program when it has not ended after ``grace``."""

    def kill(_signal: int, _frame: "FrameType | None") -> None:
        os.kill(child, signal.SIGKILL)

    def stop(_signal: int, _frame: "FrameType | None") -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.killpg(0, signal.SIGTERM)
        signal.setitimer(signal.ITIMER_REAL, max(grace, 0.01))

    signal.signal(signal.SIGALRM, kill)
    signal.signal(signal.SIGTERM, stop)


def _wait_for(child: int) -> int:
    """The wait status of the program; orphans that end meanwhile are reaped."""
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == child:
            return status


def _kill_descendants() -> None:
    """Nothing that the program started runs any more: killing a child hands us its children."""
    try:
        while True:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:  # a look at all of /proc only where something is left
                for pid in _children():
                    os.kill(pid, signal.SIGKILL)
                os.waitpid(-1, 0)
    except ChildProcessError:
        return


def _children() -> list[int]:
    """Process ids of our children, zombies included."""
    return [int(name) for name in os.listdir("/proc") if name.isdecimal() and _is_ours(name)]  # noqa: PTH208 - as above


def _is_ours(pid: str) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:  # noqa: PTH123 - see the top
            after_name = stream.read().rpartition(b")")[2]
    except OSError:
        return False
    return int(after_name.split()[1]) == os.getpid()


def _account(status: int) -> str:
    """How the program ended, CPU seconds of all that was reaped, bytes of its largest process; as JSON."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    end, cpu, memory = os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss * 1024
    return f'{{"returncode": {end}, "cpu": {cpu:.6f}, "memory": {memory}}}'


if __name__ == "__main__":
    sys.exit(main())
