"""What compiled members of a wheel may be and need, and the two lists of it that go into the wheel."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from elfdeps import SOInfo
from packaging.tags import Tag
from packaging.version import Version

from wheelfleet_shared.core.targets import TargetDefinition
from wheelfleet_shared.errors import PolicyError

from .elf_members import ElfKind, ElfMember

REQUIRES: Final = "fromager-elf-requires.txt"
PROVIDES: Final = "fromager-elf-provides.txt"

_KINDS: Final = {
    "x86_64": ElfKind("EM_X86_64", 64, True),
    "i686": ElfKind("EM_386", 32, True),
    "aarch64": ElfKind("EM_AARCH64", 64, True),
    "armv7l": ElfKind("EM_ARM", 32, True),
    "armv6l": ElfKind("EM_ARM", 32, True),
    "ppc64le": ElfKind("EM_PPC64", 64, True),
    "ppc64": ElfKind("EM_PPC64", 64, False),
    "s390x": ElfKind("EM_S390", 64, False),
    "riscv64": ElfKind("EM_RISCV", 64, True),
    "loongarch64": ElfKind("EM_LOONGARCH", 64, True),
}
"""Machines as tags of wheels name them. Another machine's wheels are not looked at."""
_GLIBC: Final = re.compile(r"GLIBC_(\d+(?:\.\d+)+)")
_IMPLIED: Final = {"GLIBC_ABI_DT_RELR": Version("2.36")}
"""Abilities of the dynamic loader, by the release that brought them."""
_EXTENSION: Final = re.compile(r"\.(cpython-[^.]+|abi3t?|pypy[^.]*|graalpy[^.]*)\.so$")
_SYSTEM: Final = ("lib", "ld.", "ld-", "ld64.", "ld64-")
_LOADER: Final = "rtld"
"""What the dynamic loader itself must be able to do."""
_REPAIR: Final = "build it from its source: remove the compiled file with a patch, or mark it pre_built"


def elf_lists(members: Iterable[ElfMember]) -> dict[str, bytes]:
    """File name → content: what the wheel's libraries need of others, and what they offer; no empty lists.

    One entry a line, as RPM writes them: ``libc.so.6(GLIBC_2.17)(64bit)``. Needs that the wheel itself meets
    are left out, as are names that no other wheel or system asks for: those of extension modules.
    """
    members = tuple(members)
    provides = {found for member in members for found in member.provides if _is_library(found.soname)}
    requires = {found for member in members for found in member.requires if _is_library(found.soname)} - provides
    lists = {REQUIRES: requires, PROVIDES: provides}
    return {name: _lines(found) for name, found in lists.items() if found}


def check_elf(members: Sequence[ElfMember], tags: Iterable[Tag], definition: TargetDefinition) -> None:
    """Every compiled member runs on each host of the target; raises PolicyError that lists those which do not.

    A wheel for any platform is not looked at: what is compiled in it is data, for it to choose from.
    """
    if all(tag.platform == "any" for tag in tags):
        return
    faults = [fault for member in members for fault in _faults(member, definition)]
    if faults:
        raise PolicyError("; ".join(faults), _REPAIR)


def _faults(member: ElfMember, definition: TargetDefinition) -> list[str]:
    fitting = _KINDS.get(definition.machine)
    if fitting is not None and member.kind != fitting:
        return [f"{member.name} is compiled for {_in_words(member.kind)}, not for {definition.machine}"]
    if definition.libc != "glibc":
        foreign = any(_glibc_of(found) for found in member.requires)
        return [f"{member.name} needs glibc, but {definition.id} has {definition.libc}"] if foreign else []
    return _too_new(member, definition)


def _too_new(member: ElfMember, definition: TargetDefinition) -> list[str]:
    floor = Version(definition.libc_floor)
    newest = max((version for found in member.requires if (version := _glibc_of(found))), default=floor)
    if newest <= floor:
        return []
    needing = sorted(str(found) for found in member.requires if _glibc_of(found) == newest)
    return [f"{member.name} needs glibc {newest} ({', '.join(needing)}), but {definition.id} promises {floor} only"]


def _glibc_of(found: SOInfo) -> Version | None:
    """The release of glibc that a versioned symbol needs; None for others."""
    match = _GLIBC.fullmatch(found.version)
    return Version(match[1]) if match else _IMPLIED.get(found.version)


def _in_words(kind: ElfKind) -> str:
    names = [name for name, known in _KINDS.items() if known == kind]
    order = "little" if kind.little_endian else "big"
    return names[0] if names else f"{kind.machine.removeprefix('EM_')} ({kind.bits}-bit, {order}-endian)"


def _is_library(soname: str) -> bool:
    """Whether something outside the wheel may know this name: a library's or the loader's."""
    if soname == _LOADER:
        return True
    return ".so" in soname and soname.startswith(_SYSTEM) and not _EXTENSION.search(soname)


def _lines(found: Iterable[SOInfo]) -> bytes:
    return "".join(f"{entry}\n" for entry in sorted(found)).encode()
