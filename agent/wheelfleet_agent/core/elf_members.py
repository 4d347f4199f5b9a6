"""The compiled members of a wheel: for which machine they are, what they need of other libraries and offer."""

import shutil
import stat
import struct
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

from elfdeps import ELFAnalyzeSettings, ELFError, SOInfo, analyze_elffile
from elftools.construct import ConstructError
from elftools.elf.elffile import ELFFile

from .archive_limits import ExtractLimits, Meter

_MAGIC: Final = b"\x7fELF"
_LOADED: Final = ("ET_DYN", "ET_EXEC")
# Names are filtered by us: elfdeps does it by the suffixes of the interpreter that it runs on.
_SETTINGS: Final = ELFAnalyzeSettings(filter_soname=False)
_SPOOLED: Final = 8 << 20
_LARGEST_READ: Final = 64 << 20
_READS: Final = 500_000
"""Steps of reading one file; a library of 100 MB takes some ten thousands."""
_UNREADABLE: Final = (
    *(ELFError, ConstructError, struct.error),
    *(ValueError, LookupError, AttributeError, TypeError, ArithmeticError, AssertionError, OSError, MemoryError),
)
"""What pyelftools raises on files made to confuse it."""


class _Copy(tempfile.SpooledTemporaryFile[bytes]):
    """A file that can be read so often only: tables in hostile files may lead round in a circle."""

    def __init__(self) -> None:
        super().__init__(_SPOOLED)
        self._left = _READS

    def read(self, size: int = -1, /) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise ELFError("its tables have no end")
        return super().read(min(size, _LARGEST_READ))


class ElfKind(NamedTuple):
    """For what something is compiled: the machine as the ELF header names it, 32 or 64, and its byte order."""

    machine: str
    bits: int
    little_endian: bool


class ElfMember(NamedTuple):
    """A library, extension module or program in a wheel. name: its path there."""

    name: str
    kind: ElfKind
    requires: tuple[SOInfo, ...]
    provides: tuple[SOInfo, ...]


def elf_members(wheel: Path) -> tuple[ElfMember, ...]:
    """What the wheel holds of libraries, extension modules and programs, by name.

    Looked at is what is executable or named as a library; of that, what is no ELF file, or one that
    cannot be read, is none. Raises zipfile.BadZipFile, and SourceError for a wheel beyond the limits of
    archives. Cost: a member that is looked at is inflated once.
    """
    with zipfile.ZipFile(wheel) as archive:
        meter = Meter(ExtractLimits(), wheel.stat().st_size)
        found = [_read(archive, info, meter) for info in archive.infolist() if _may_be_loaded(info)]
    return tuple(sorted((member for member in found if member is not None), key=lambda member: member.name))


def _may_be_loaded(info: zipfile.ZipInfo) -> bool:
    mode = info.external_attr >> 16
    if info.is_dir():
        return False
    return _SETTINGS.is_candidate(Path(info.filename), mode if stat.S_IFMT(mode) else mode | stat.S_IFREG)


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, meter: Meter) -> ElfMember | None:
    """The member; None where it is nothing that a machine runs. It is read from a copy: zip files seek slowly."""
    with archive.open(info) as member, _Copy() as copy:
        start = member.read(len(_MAGIC))
        if start != _MAGIC:
            return None
        meter.add(info.file_size, info.filename)
        copy.write(start)
        shutil.copyfileobj(member, copy)
        copy.seek(0)
        try:
            return next(_described(ELFFile(copy), info), None)
        except _UNREADABLE:
            return None


def _described(elf: ELFFile, info: zipfile.ZipInfo) -> Iterator[ElfMember]:
    if elf.header["e_type"] not in _LOADED:
        return
    name = PurePosixPath(info.filename)
    executable = bool(info.external_attr >> 16 & 0o111)
    found = analyze_elffile(elf, filename=Path(name.name), is_exec=executable, settings=_SETTINGS)
    kind = ElfKind(str(elf.header["e_machine"]), elf.elfclass, elf.little_endian)
    yield ElfMember(str(name), kind, tuple(sorted(found.requires)), tuple(sorted(found.provides)))
