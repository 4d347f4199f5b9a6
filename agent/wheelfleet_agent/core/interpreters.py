"""What an interpreter says of itself, and the target that follows from it."""

import re
from pathlib import Path

import msgspec
from packaging.tags import Tag

from wheelfleet_shared.core.targets import TargetDefinition, neutral_environment, target_id
from wheelfleet_shared.errors import InputError

_LIBC = {"manylinux": "glibc", "musllinux": "musl"}
_VERSIONED = re.compile(r"(manylinux|musllinux)_(\d+)_(\d+)_(.+)")


class InterpreterFacts(msgspec.Struct, frozen=True):
    """What was read from an interpreter.

    prefix: where it is installed. platform: as sysconfig has it. pointer_size: bytes. headers:
    whether Python.h is there. programs: names of compilers that it calls. tags: most specific first.
    """

    prefix: Path
    marker_environment: dict[str, str]
    tags: tuple[str, ...]
    platform: str
    pointer_size: int
    byte_order: str
    headers: bool
    programs: tuple[str, ...]


class _Platform(msgspec.Struct, frozen=True):
    machine: str
    libc: str
    version: str


def define_target(facts: InterpreterFacts, suffix: str = "") -> TargetDefinition:
    """The target that this interpreter offers; ``suffix`` goes to its id.

    Raises InputError where wheels would carry a wrong platform, or where the libc is not known.
    """
    platform = _platform_of(facts)
    check_personality(facts, platform.machine)
    markers = neutral_environment(facts.marker_environment)
    abi = _abi_of(facts.tags[0])
    return TargetDefinition(
        id=target_id(abi, platform.machine, platform.libc, suffix),
        implementation=markers["implementation_name"],
        python=markers["python_version"],
        abi=abi,
        machine=platform.machine,
        libc=platform.libc,
        libc_floor=platform.version,
        marker_environment=markers,
        tags=facts.tags,
    )


def check_personality(facts: InterpreterFacts, machine: str) -> None:
    """Raises InputError for a 32-bit Python that believes in a 64-bit machine: it would mis-tag its wheels."""
    believed = facts.platform.removeprefix("linux-")
    if facts.pointer_size == 4 and believed != machine and believed.endswith("64"):  # x86_64, aarch64, ppc64
        raise InputError(
            f"this Python is 32-bit ({machine}) but names its platform {facts.platform}",
            "start the agent under linux32 (setarch)",
        )


def _abi_of(tag: str) -> str:
    return _parsed(tag).abi


def _platform_of(facts: InterpreterFacts) -> _Platform:
    """Machine and libc as the most specific versioned platform tag names them."""
    for tag in facts.tags:
        found = _VERSIONED.fullmatch(_parsed(tag).platform)
        if found:
            family, major, minor, machine = found.groups()
            return _Platform(machine, _LIBC[family], f"{major}.{minor}")
    raise InputError(
        f"this Python supports neither manylinux nor musllinux wheels ({facts.platform})",
        "agents run on Linux with glibc or musl",
    )


def _parsed(tag: str) -> Tag:
    return Tag(*tag.split("-"))
