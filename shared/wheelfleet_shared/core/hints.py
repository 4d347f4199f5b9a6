"""From the end of a build's log to the line that matters and what a person can do about it."""

import re
from collections.abc import Sequence

import msgspec


class Hint(msgspec.Struct, frozen=True):
    """The line of the log that tells the cause, and the next step."""

    line: str
    advice: str


class _Cause(msgspec.Struct, frozen=True):
    """A pattern of log lines; the advice may name its groups."""

    pattern: re.Pattern[str]
    advice: str


def _cause(pattern: str, advice: str) -> _Cause:
    return _Cause(re.compile(pattern), advice)


_ON_AGENTS = "on the agents (or in the root that they build in)"
_MISSING = r"(?:No such file or directory|not found|command not found|ENOENT)"

# The first cause that matches anywhere decides: what names most precisely stands first.
_CAUSES = (
    _cause(
        r"No module named '?pkg_resources",
        "setuptools >= 82 has no pkg_resources: pin it in the settings of {name}, "
        '`project_override: {{update_build_requires: ["setuptools<81"]}}`',
    ),
    _cause(r"\bPython\.h: No such file", f"install the headers of this Python (python3-dev) {_ON_AGENTS}"),
    _cause(r"\bffi\.h: No such file", f"install the headers of libffi (libffi-dev) {_ON_AGENTS}"),
    _cause(
        r"(?<![\w./+-])(?P<header>[\w./+-]+\.(?:h|hh|hpp)): No such file"
        r"|'(?P<quoted>[\w./+-]+\.(?:h|hpp))' file not found",
        f"install the library that has the header {{header}}, with its development files, {_ON_AGENTS}",
    ),
    _cause(r"cannot find -l(?P<library>[\w.+-]+)", f"install lib{{library}} with its development files {_ON_AGENTS}"),
    _cause(
        rf"can't find Rust compiler|[Cc]argo, the Rust package manager, is not|\b(?:cargo|rustc)\b.*{_MISSING}"
        r"|No such file or directory: '(?:\S*/)?(?:cargo|rustc)'",
        f"install cargo and rustc {_ON_AGENTS}",
    ),
    _cause(
        rf"(?:g|c|clang)\+\+'?(?: failed)?: {_MISSING}"
        r"|No CMAKE_CXX_COMPILER could be found|Unknown compiler\(s\): \[\['(?:c\+\+|g\+\+)",
        f"install a C++ compiler (g++) {_ON_AGENTS}",
    ),
    _cause(
        rf"\b(?:gcc|cc|clang)(?:-\d+)?'?(?: failed)?: {_MISSING}|No such file or directory: '(?:\S*[/-])?g?cc'"
        r"|unable to execute '[\w-]*g?cc'|No CMAKE_C_COMPILER could be found|Unknown compiler\(s\)"
        r"|no acceptable C compiler",
        f"install a C compiler (gcc) {_ON_AGENTS}",
    ),
    _cause(
        rf"\bcmake\b.*{_MISSING}|No such file or directory: '(?:\S*/)?cmake'|CMake must be installed"
        r"|Problem with the CMake installation",
        f"install cmake {_ON_AGENTS}, or add it to the build requirements with project_override",
    ),
    _cause(
        rf"pkg-config\b.*{_MISSING}|No such file or directory: '(?:\S*/)?pkg-?conf(?:ig)?'|Did not find pkg-config",
        f"install pkg-config {_ON_AGENTS}",
    ),
    _cause(
        r"No package '(?P<pc>[^']+)' found|Package (?P<name_pc>\S+) was not found in the pkg-config search path"
        r"|Dependency \"(?P<dependency>[^\"]+)\" not found",
        f"install {{pc}} with its development files {_ON_AGENTS}",
    ),
    _cause(
        rf"\b(?P<tool>make|ninja|meson|autoconf|automake|libtool|patchelf|git|gfortran|swig|bison|flex): {_MISSING}"
        r"|No such file or directory: '(?:\S*/)?(?P<exec>make|ninja|meson|autoconf|patchelf|git|gfortran|swig)'",
        f"install {{tool}} {_ON_AGENTS}",
    ),
    _cause(
        r"Temporary failure in name resolution|Name or service not known|Network is unreachable"
        r"|Could not resolve host|Failed to resolve '|getaddrinfo failed|nodename nor servname"
        r"|Failed to establish a new connection|[Cc]ould not connect to server|failed to download from `http",
        "{name} tries to reach {host} while building: put the file in the source with a patch, "
        "mark it pre_built, or grant `network: true`",
    ),
    _cause(
        r"No module named '(?P<module>[\w.]+)'",
        "the source imports {module} without asking for it: add what provides it to its build requirements, "
        "`project_override: {{update_build_requires: [...]}}` in the settings of {name}",
    ),
)
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
    for cause in _CAUSES:
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


def _advice(cause: _Cause, match: re.Match[str], name: str, host: str) -> str:
    found = [value for value in match.groupdict().values() if value]
    named = dict.fromkeys(match.groupdict(), found[0] if found else "")
    return cause.advice.format(**{**named, "name": name, "host": host})


def _host_near(lines: Sequence[str], at: int) -> str:
    """The host named in the line itself, else in one of the lines around it."""
    near = [lines[at], *reversed(lines[max(at - _HOST_LINES, 0) : at]), *lines[at + 1 : at + _HOST_LINES]]
    found = (match.group(1) for line in near for pattern in _HOSTS if (match := pattern.search(line)))
    return next(found, "the network")
