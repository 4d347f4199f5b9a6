"""From the end of a build's log to the line that matters and what a person can do about it."""

import re
from collections.abc import Sequence

import msgspec

from .causes import CAUSES, DEVELOPMENT_FILES, Cause


class Hint(msgspec.Struct, frozen=True):
    """The line of the log that tells the cause, and the next step."""

    line: str
    advice: str


_HOSTS = (
    re.compile(r"host='([^']+)'"),
    re.compile(r"resolve '([^']+)'"),
    re.compile(r"resolve host(?:name)?:? '?([\w.-]+\w)"),
    re.compile(r"(?:git|https?|ftp)://(?:[^/@\s]+@)?([\w.-]+)"),
)
_HOST_LINES = 6
_LONGEST = 2000
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_WRAPPERS = re.compile(
    r"CalledProcessError|CompileError|SystemExit|BackendUnavailable|SetupError|failed with exit (?:code|status)"
    r"|returned non-zero exit|error: subprocess-exited|metadata-generation-failed"
)
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception|Exit|Failure)\b.*")
_ERROR = re.compile(
    r"(?:^|[\s:])(?:fatal )?error(?:\[\w+\])?: |^(?:ERROR|CMake Error|FAILED)\b|\bundefined reference\b"
)


def find_hint(log: Sequence[str], name: str = "this distribution") -> Hint | None:
    """The first cause of the table that the log shows, or None.

    log: lines, usually the last few hundred. name: of the distribution, for the advice. Within a
    cause the last line holds, since what failed stands at the end. Cost: a few ms for 1000 lines.
    """
    lines = [_plain(line) for line in log]
    for cause in CAUSES:
        for at in range(len(lines) - 1, -1, -1):
            match = cause.pattern.search(lines[at])
            if match:
                return Hint(lines[at], _advice(cause, match, name, _host_near(lines, at)))
    return None


def telling_line(log: Sequence[str]) -> str:
    """The one line of a log to show: a known cause, else the exception that ended it, else the first error.

    Exceptions that only say that a process failed give way to what that process said.
    """
    hint = find_hint(log)
    if hint:
        return hint.line
    lines = [plain for line in log if (plain := _plain(line))]
    told = [line for line in lines if not _WRAPPERS.search(line)]
    raised = [line for line in told if _EXCEPTION.match(line)]
    errors = [line for line in told if _ERROR.search(line)]
    return next(iter([*raised[-1:], *errors[:1], *lines[-1:]]), "")


def _plain(line: str) -> str:
    """The line without colours, cut: some patterns take the square of a line's length."""
    return _COLOUR.sub("", line[:_LONGEST]).strip()


def _advice(cause: Cause, match: re.Match[str], name: str, host: str) -> str:
    found = [value for value in match.groupdict().values() if value]
    named = dict.fromkeys(match.groupdict(), found[0] if found else "")
    files = _development_files(found[0]) if found else ""
    return cause.advice.format(**{**named, "name": name, "host": host, "files": files})


def _development_files(found: str) -> str:
    """Who brings a header or library on Debian, in brackets; empty where the table does not know it."""
    names = (found, found.lower(), found.rpartition("/")[2], found.partition("/")[0].lower())
    known = next((DEVELOPMENT_FILES[name] for name in names if name in DEVELOPMENT_FILES), "")
    return f" ({known} on Debian)" if known else ""


def _host_near(lines: Sequence[str], at: int) -> str:
    """The host named in the line itself, else in one of the lines around it."""
    near = [lines[at], *reversed(lines[max(at - _HOST_LINES, 0) : at]), *lines[at + 1 : at + _HOST_LINES]]
    found = (match.group(1) for line in near for pattern in _HOSTS if (match := pattern.search(line)))
    return next(found, "the network")
