"""A failed build in words: the phase, the line that matters, the end of the log, what may help."""

from collections.abc import Sequence

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.hints import find_hint, telling_line
from wheelfleet_shared.errors import WheelfleetError

from .hook_answers import HookFailed

TAIL = 20
LONGEST_LINE = 2_000


def failure_of(error: WheelfleetError, kind: e.FailureKind, phase: str, name: str) -> e.Failure:
    """What the log of events keeps of a failure; bounded, since events are."""
    if isinstance(error, HookFailed):
        return _of_hook(error, name)
    return e.Failure(kind, phase, _short(error.what), hint=_short(error.next_step))


def _of_hook(error: HookFailed, name: str) -> e.Failure:
    hint = find_hint(error.tail, name)
    line = telling_line(error.tail) or error.what
    return e.Failure("backend", error.phase, _short(line), _shown(error.tail), _short(hint.advice if hint else ""))


def _shown(tail: Sequence[str]) -> tuple[str, ...]:
    return tuple(_short(line) for line in tail[-TAIL:])


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_LINE else text[:LONGEST_LINE] + "…"
