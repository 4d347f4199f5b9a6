"""What hooks answer, which is whatever a stranger's code says, and how they fail."""

from typing import Final, Literal

import msgspec
from packaging.requirements import InvalidRequirement, Requirement

from wheelfleet_shared.core.wheel_metadata import LONGEST_LIST, is_too_long
from wheelfleet_shared.errors import BackendError, WheelfleetError

from .processes import Finished

HookName = Literal["get_requires_for_build_wheel", "prepare_metadata_for_build_wheel", "build_wheel"]
StopKind = Literal["timeout_total", "timeout_silent", "out_of_memory", "disk_full", "sandbox", "lost"]

LONGEST_ANSWER: Final = 4 * 1024 * 1024
_KILLED: Final = frozenset({-9, 137})
_SHOWN: Final = 20


class HookFailed(BackendError):
    """A hook of the source failed. phase: the hook; tail: the end of its output, oldest line first."""

    def __init__(self, phase: HookName, what: str, returncode: int = 0, tail: tuple[str, ...] = ()) -> None:
        shown = "".join(f"\n  | {line}" for line in tail[-_SHOWN:])
        super().__init__(f"{phase} {what}{shown}", "the build log has all output; patch the source or its settings")
        self.phase: HookName = phase
        self.returncode = returncode
        self.tail = tail


class HookStopped(WheelfleetError):
    """A hook was stopped by a limit or by the host; whether the source is at fault is not known."""

    party = "infrastructure"
    exit_code = 3

    def __init__(self, phase: str, kind: StopKind, tail: tuple[str, ...]) -> None:
        super().__init__(f"{phase} was stopped: {_IN_WORDS[kind]}", _NEXT_STEPS.get(kind, ""))
        self.phase = phase
        self.kind: StopKind = kind
        self.tail = tail


_IN_WORDS: Final[dict[StopKind, str]] = {
    "timeout_total": "it took longer than a build may take",
    "timeout_silent": "it said nothing for longer than a build may be silent",
    "out_of_memory": "the host ran out of memory",
    "disk_full": "it used more disk than a build may use",
    "sandbox": "the sandbox could not be started",
    "lost": "something outside killed it",
}
_NEXT_STEPS: Final[dict[StopKind, str]] = {
    "out_of_memory": "give builds fewer cores, or the agent fewer slots",
    "sandbox": "start the agent again: it probes the sandbox and says what is missing",
}


class _Answer(msgspec.Struct):
    """What pyproject-hooks writes, without the warnings of the backend, which are in the log."""

    return_val: object = None
    unsupported: bool = False
    no_backend: bool = False
    hook_missing: bool = False
    traceback: str = ""
    backend_error: str = ""
    missing_hook_name: str = ""


def check_finished(phase: HookName, finished: Finished) -> None:
    """Raises HookStopped or HookFailed unless the hook's process ended well."""
    if finished.reason != "exited":
        raise HookStopped(phase, finished.reason, finished.tail)
    if finished.returncode in _KILLED:
        raise HookStopped(phase, "lost", finished.tail)
    if finished.returncode and finished.tail and finished.tail[-1].startswith("bwrap: "):
        raise HookStopped(phase, "sandbox", finished.tail)
    if finished.returncode:
        raise HookFailed(phase, f"failed with exit status {finished.returncode}", finished.returncode, finished.tail)


def clean_answer(phase: HookName, data: bytes) -> bytes:
    """The answer with nothing in it but what we read. Raises HookFailed for what is no answer."""
    try:
        return msgspec.json.encode(msgspec.json.decode(data, type=_Answer))
    except msgspec.MsgspecError as error:
        raise nonsense(phase, str(error)) from None


def requirements_of(phase: HookName, answer: object) -> tuple[str, ...]:
    """The requirements that a hook asks for, in its order. Raises HookFailed for anything else."""
    try:
        texts = msgspec.convert(answer, type=tuple[str, ...])
        found = tuple(str(Requirement(text)) for text in texts)
    except (msgspec.ValidationError, InvalidRequirement) as error:
        raise nonsense(phase, str(error)) from None
    if is_too_long(found):
        raise nonsense(phase, f"it asks for {len(found)} requirements, more than {LONGEST_LIST} bytes")
    return found


def name_of(phase: HookName, answer: object, suffix: str) -> str:
    """The file or folder name that a hook says it made, a single path component with this suffix."""
    good = isinstance(answer, str) and answer.endswith(suffix) and "/" not in answer and "\0" not in answer
    if not isinstance(answer, str) or not good or answer == suffix:
        raise nonsense(phase, f"{answer!r} is no name that ends in {suffix}")
    return answer


def nonsense(phase: HookName, detail: str) -> HookFailed:
    """The backend broke PEP 517."""
    return HookFailed(phase, f"gave an answer that is none: {detail}")
