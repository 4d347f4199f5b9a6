"""Requirements and constraints as users write them: one requirement a line, pip's file format.

Of pip's options in files, ``-r``, ``-c`` and ``--hash=sha256:`` are honoured; every other one is
refused with the way to do it.
"""

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

import msgspec
from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import is_sha256


class RequirementLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """A requirement or constraint and where it was stated, as ``file:line`` or in words.

    text: ``str()`` of the parsed requirement. hashes: allowed sha256s in hexadecimal; empty allows any.
    """

    text: str
    origin: str
    hashes: tuple[str, ...] = ()


class Nested(NamedTuple):
    """A line that names another file."""

    role: Literal["requirements", "constraints"]
    reference: str
    origin: str


class LogicalLine(NamedTuple):
    """A line after comments and continuations; ``number`` is that of its first physical line."""

    number: int
    text: str


_COMMENT = re.compile(r"(^|\s+)#.*$")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
_NESTED = re.compile(r"(?:(-r|--requirement)|(-c|--constraint))(?:\s*=\s*|\s+|(?<=-[rc]))(?P<file>\S.*)")
_OPTION = re.compile(r"\s--?[A-Za-z]")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_KERNEL = re.compile(r"\bplatform_(?:release|version)\b")
_ONE_INDEX = "give the one index as --index-url on the command line; further indexes and folders are not searched"
_SOURCE = "name the distribution, and give its source in its settings file (download_source or git)"
_BUILT = "leave it out: everything is built from source unless its settings file says pre_built"
_WAYS_OUT = {
    "-e": _SOURCE,
    "--editable": _SOURCE,
    "-i": _ONE_INDEX,
    "--index-url": _ONE_INDEX,
    "--pypi-url": _ONE_INDEX,
    "--extra-index-url": _ONE_INDEX,
    "--no-index": _ONE_INDEX,
    "-f": _ONE_INDEX,
    "--find-links": _ONE_INDEX,
    "--no-binary": _BUILT,
    "--only-binary": _BUILT,
    "--prefer-binary": _BUILT,
    "--require-hashes": "leave it out: a hash is checked wherever a line gives one",
    "--pre": "mention a pre-release in the requirement or in a constraint, as in name>=2.0a1",
    "--trusted-host": "give the certificate authority in pip's configuration (cert)",
    "--global-option": "put it into config_settings of the distribution's settings file",
    "--config-settings": "put it into config_settings of the distribution's settings file",
}


def parse_requirement(text: str, origin: str) -> RequirementLine:
    """The requirement as it will be recorded; raises InputError naming ``origin``."""
    requirement = _parsed(text, origin)
    if requirement.url is not None:
        raise InputError(f"{origin}: {requirement.name} is given by a URL", _SOURCE)
    if requirement.marker is not None and reads_kernel(str(requirement.marker)):
        raise InputError(
            f"{origin}: the marker of {requirement.name} reads the kernel's release or version",
            "a target is not one host: use sys_platform, platform_machine or python_version",
        )
    _require_versions(requirement, origin)
    return RequirementLine(str(requirement), origin)


def _require_versions(requirement: Requirement, origin: str) -> None:
    """``===`` compares text, so the grammar lets anything stand behind it, even nothing; no index has such a version.

    Sources whose version is none of PEP 440 are left out when a page is read, so nothing could match.
    """
    for specifier in requirement.specifier:
        if specifier.operator == "===" and not _is_version(specifier.version):
            found = f"{specifier.version!r}, which is no version" if specifier.version else "no version"
            raise InputError(
                f"{origin}: after === of {requirement.name} stands {found}",
                f"write {requirement.name}==1.0, or leave === out for any version",
            )


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


def reads_kernel(marker: str) -> bool:
    """Whether a marker depends on the kernel of one host, which no target fixes."""
    return _KERNEL.search(_QUOTED.sub("", marker)) is not None


def logical_lines(content: str) -> Iterator[LogicalLine]:
    """Lines joined where they end in a backslash, without comments and blanks, as pip joins them."""
    start, parts = 0, list[str]()
    for number, line in enumerate(content.splitlines(), start=1):
        start = start or number
        if line.endswith("\\") and not _COMMENT.match(line):
            parts.append(line.rstrip("\\"))
            continue
        parts.append(" " + line if _COMMENT.match(line) else line)
        yield from _without_comment(start, parts)
        start, parts = 0, []
    yield from _without_comment(start, parts)


def parse_line(text: str, origin: str, variables: Mapping[str, str]) -> RequirementLine | Nested:
    """What one logical line says; ``${NAME}`` stands for a variable where it is set, as in pip.

    Raises InputError with the origin, the line as written, and the way to do what it wanted.
    """
    expanded = _VARIABLE.sub(lambda found: variables.get(found[1]) or found[0], text)
    nested = _NESTED.fullmatch(expanded)
    if nested is not None:
        return Nested("requirements" if nested[1] else "constraints", nested["file"].strip("\"'"), origin)
    if expanded.startswith("-"):
        raise _refused(text, origin)
    option = _OPTION.search(expanded)
    stated = expanded[: option.start()] if option is not None else expanded
    hashes = _hashes(expanded[option.start() :], origin) if option is not None else ()
    line = parse_requirement(stated, origin)
    return RequirementLine(line.text, origin, hashes)


def _without_comment(number: int, parts: list[str]) -> Iterator[LogicalLine]:
    text = _COMMENT.sub("", "".join(parts)).strip()
    if text:
        yield LogicalLine(number, text)


def _hashes(options: str, origin: str) -> tuple[str, ...]:
    """The sha256s of ``--hash`` options, sorted; any other option of a line is refused."""
    found = set[str]()
    words = iter(_split(options, origin))
    for word in words:
        option, _, value = word.partition("=")
        if option != "--hash":
            raise _refused(word, origin)
        algorithm, _, digest = (value or next(words, "")).partition(":")
        if algorithm != "sha256" or not is_sha256(digest.lower()):
            raise InputError(
                f"{origin}: --hash={algorithm}:{digest} is no sha256",
                "give --hash=sha256: and 64 hexadecimal digits (pip hash FILE prints it)",
            )
        found.add(digest.lower())
    return tuple(sorted(found))


def _split(options: str, origin: str) -> list[str]:
    try:
        return shlex.split(options)
    except ValueError as error:
        raise InputError(f"{origin}: {error} in {options.strip()!r}") from error


def _refused(text: str, origin: str) -> InputError:
    option = re.split(r"[\s=]", text, maxsplit=1)[0]
    return InputError(f"{origin}: {option} is not supported here", _WAYS_OUT.get(option, "leave it out"))


def _parsed(text: str, origin: str) -> Requirement:
    try:
        return Requirement(text)
    except InvalidRequirement as error:
        what = str(error).splitlines()[0]
        step = "write name[extra]>=version; marker"
        if "://" in text or text.startswith((".", "/")):
            what, step = "it is a path or a URL, no requirement", _SOURCE
            text = text.split("://", maxsplit=1)[0] + "://…" if "://" in text else text
        raise InputError(f"{origin}: {text.strip()!r} cannot be read: {what}", step) from error
