"""Targets: for what a wheel is built, and what may be relied on there.

Two hosts of one target may differ in kernel, CPU and libc; nothing of that may reach a decision, so
markers are evaluated with the definition and never with the host.
"""

import re
from collections.abc import Mapping
from typing import Final

import msgspec
from packaging.requirements import Requirement
from packaging.tags import Tag
from packaging.version import Version

from ..errors import InputError, SourceError
from ..names import TargetId, is_identifier

_HOST_DEPENDENT: Final = ("platform_release", "platform_version")
_MICRO_VERSIONS: Final = frozenset({"python_full_version", "implementation_version"})
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")


class TargetDefinition(msgspec.Struct, frozen=True):
    """What wheels of a target may rely on.

    python: ``3.11``. abi: ``cp311``. machine: ``x86_64``. libc: ``glibc`` or ``musl``; libc_floor:
    its version, which wheels need at most. marker_environment: all variables of PEP 508 but
    ``extra``, ``platform_release`` and ``platform_version`` empty. tags: the most specific first.
    """

    id: TargetId
    implementation: str
    python: str
    abi: str
    machine: str
    libc: str
    libc_floor: str
    marker_environment: dict[str, str]
    tags: tuple[str, ...]


def target_id(abi: str, machine: str, libc: str, suffix: str = "") -> TargetId:
    """The id of a target: ``cp311-linux_x86_64``, ``cp312-musllinux_aarch64``.

    ``suffix`` keeps apart what would collide (``glibc236``). Raises InputError for what cannot be
    part of a subject.
    """
    family = "linux" if libc == "glibc" else f"{libc}linux"
    text = "-".join(filter(None, (abi, f"{family}_{machine}", suffix))).lower()
    if not is_identifier(text):
        raise InputError(f"{text!r} cannot name a target", "use at most 48 of a-z, 0-9, _ and -")
    return TargetId(text)


def neutral_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The marker environment of a host without what describes its kernel."""
    return {**environment, **dict.fromkeys(_HOST_DEPENDENT, "")}


def supported_tags(definition: TargetDefinition) -> frozenset[Tag]:
    """The tags of wheels that can be installed on the target. Cost: about 1 ms for 900 tags."""
    return frozenset(Tag(*text.split("-")) for text in definition.tags)


def satisfies(offered: TargetDefinition, definition: TargetDefinition) -> bool:
    """Whether a host that probed ``offered`` may build for the target.

    All must agree but the micro versions of Python, which are the definition's; the host's libc
    must not be newer, since its wheels would not load at the floor.
    """
    return (
        _identity(offered) == _identity(definition)
        and _stable_markers(offered) == _stable_markers(definition)
        and Version(offered.libc_floor) <= Version(definition.libc_floor)
    )


def evaluate_marker(requirement: Requirement, environment: Mapping[str, str], extras: frozenset[str]) -> bool:
    """Whether the requirement applies: true without a marker, else true for any of the extras.

    ``extras`` are those with which the parent is wanted; without any the marker sees an empty one.
    Raises SourceError for a marker that reads the kernel's release or version: its value differs
    between hosts of one target.
    """
    marker = requirement.marker
    if marker is None:
        return True
    read = [name for name in _HOST_DEPENDENT if name in _QUOTED.sub("", str(marker))]
    if read:
        raise SourceError(
            f"the marker of {str(requirement)!r} reads {read[0]}, which differs between hosts of one target",
            "change the requirement with a patch, or leave it out by a settings file",
        )
    return any(marker.evaluate({**environment, "extra": extra}) for extra in sorted(extras) or [""])


def _identity(definition: TargetDefinition) -> tuple[str, ...]:
    return (definition.implementation, definition.python, definition.abi, definition.machine, definition.libc)


def _stable_markers(definition: TargetDefinition) -> dict[str, str]:
    return {
        name: value
        for name, value in neutral_environment(definition.marker_environment).items()
        if name not in _MICRO_VERSIONS
    }
