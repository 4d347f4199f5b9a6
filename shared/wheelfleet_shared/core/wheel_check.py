"""Whether a wheel is what its file name says; for the agent on the file, for the coordinator on range reads.

Strict validation of METADATA refuses releases that everybody uses (setuptools 73-75, zope.interface
7.2), so only what installers act on must hold; the rest is a warning.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec
from packaging.tags import Tag
from packaging.utils import BuildTag, InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from ..errors import PolicyError
from ..names import Distribution, NodeKey, Sha256
from .wheel_metadata import CoreMetadata, read_metadata
from .wheel_record import SIGNATURES, digest_fault, read_record
from .wheel_tags import check_wheel_text

_REBUILD = "the file lies about its content: repair the source with a patch, or report it upstream"


class Member(msgspec.Struct, frozen=True):
    """One entry of a wheel's directory. size: uncompressed, bytes. crc: CRC-32 of the content."""

    name: str
    size: int
    crc: int


class WheelFacts(msgspec.Struct, frozen=True):
    """What a checked wheel says of itself. tags: sorted, as text. requires_dist: as written."""

    name: Distribution
    version: str
    build_tag: str
    tags: tuple[str, ...]
    requires_dist: tuple[str, ...]
    requires_python: str
    provides_extra: tuple[str, ...]
    metadata_sha256: Sha256
    warnings: tuple[str, ...] = ()


class WheelName(msgspec.Struct, frozen=True):
    """The parts of a wheel's file name; ``stem`` is verbatim ``name-version``."""

    name: Distribution
    version: Version
    build_tag: BuildTag
    tags: frozenset[Tag]
    stem: str


def read_wheel_name(file_name: str) -> WheelName:
    """The file name's parts. Raises PolicyError where it is no wheel's."""
    try:
        name, version, build_tag, tags = parse_wheel_filename(file_name)
    except InvalidWheelFilename as error:
        raise PolicyError(str(error), _REBUILD) from error
    return WheelName(name, version, build_tag, tags, "-".join(file_name.split("-")[:2]))


def read_build_tag(text: str) -> BuildTag:
    """The build tag that a file name or a plan holds: its number and what follows it; () for none."""
    match = re.fullmatch(r"(\d+)(.*)", text)
    return (int(match[1]), match[2]) if match else ()


def is_planned_tag(text: str, planned: str) -> bool:
    """Whether a wheel's build tag is the planned one, or that with segments of a build tag hook behind it."""
    if text == planned or not planned:
        return text == planned
    return re.fullmatch(re.escape(planned) + r"(_[a-zA-Z0-9.]+)+", text) is not None


def build_tag_text(build_tag: BuildTag) -> str:
    """The build tag as file name and WHEEL write it; empty for none."""
    return f"{build_tag[0]}{build_tag[1]}" if build_tag else ""


def dist_info_folder(file_name: str, member_names: Sequence[str]) -> str:
    """The one folder of the wheel that holds METADATA, WHEEL and RECORD.

    Raises PolicyError where there is none, there are several, or its name is not the file's.
    """
    wheel = read_wheel_name(file_name)
    folders = sorted({top for name in member_names if (top := name.split("/")[0]).endswith(".dist-info")})
    if len(folders) != 1:
        raise PolicyError(f"{file_name}: not one .dist-info folder but {folders}", _REBUILD)
    name, _, version = folders[0].removesuffix(".dist-info").rpartition("-")
    if canonicalize_name(name) != wheel.name or not _same_version(version, wheel.version):
        raise PolicyError(f"{file_name}: its metadata folder is {folders[0]}", _REBUILD)
    missing = [file for file in ("METADATA", "WHEEL", "RECORD") if f"{folders[0]}/{file}" not in member_names]
    if missing:
        raise PolicyError(f"{file_name}: {folders[0]} has no {', '.join(missing)}", _REBUILD)
    return folders[0]


def check_wheel(
    file_name: str,
    members: Sequence[Member],
    metadata: bytes,
    wheel: bytes,
    record: bytes,
    wanted: NodeKey | None = None,
) -> WheelFacts:
    """What the wheel says, all its parts agreeing with each other and with what was wanted.

    metadata, wheel, record: content of these files of ``dist_info_folder``. Digests of contents
    are not looked at: that takes the whole file. Raises PolicyError that lists every fault.
    """
    named = read_wheel_name(file_name)
    folder = dist_info_folder(file_name, [member.name for member in members])
    core, metadata_faults = read_metadata(metadata)
    text_faults, text_warnings = check_wheel_text(wheel, named.tags, build_tag_text(named.build_tag))
    faults = [
        *_wanted_faults(named, wanted),
        *_member_faults(members),
        *metadata_faults,
        *_identity_faults(named, core),
        *text_faults,
        *_record_faults(folder, members, record),
    ]
    if faults:
        raise PolicyError(f"{file_name}: " + "; ".join(faults), _REBUILD)
    return _facts(named, core, metadata, (*core.warnings, *text_warnings))


def _facts(named: WheelName, core: CoreMetadata, metadata: bytes, warnings: tuple[str, ...]) -> WheelFacts:
    return WheelFacts(
        name=named.name,
        version=str(named.version),
        build_tag=build_tag_text(named.build_tag),
        tags=tuple(sorted(str(tag) for tag in named.tags)),
        requires_dist=core.requires_dist,
        requires_python=core.requires_python,
        provides_extra=core.provides_extra,
        metadata_sha256=Sha256(hashlib.sha256(metadata).hexdigest()),
        warnings=warnings,
    )


def _wanted_faults(named: WheelName, wanted: NodeKey | None) -> Iterator[str]:
    if wanted and (named.name != wanted.name or not _same_version(wanted.version, named.version)):
        yield f"it is not {wanted}"


def _identity_faults(named: WheelName, core: CoreMetadata) -> Iterator[str]:
    if core.name and canonicalize_name(core.name) != named.name:
        yield f"METADATA names {core.name!r}"
    if core.version and not _same_version(core.version, named.version):
        yield f"METADATA has version {core.version!r}"


def _member_faults(members: Sequence[Member]) -> Iterator[str]:
    names = [member.name for member in members]
    yield from (f"member {name!r} stands {count} times" for name, count in Counter(names).items() if count > 1)
    yield from (f"member {name!r} could leave its folder" for name in names if _unsafe(name))


def _unsafe(name: str) -> bool:
    parts = name.removesuffix("/").split("/")
    return not {"", ".", ".."}.isdisjoint(parts) or "\\" in name or "\0" in name or parts[0].endswith(":")


def _record_faults(folder: str, members: Sequence[Member], record: bytes) -> Iterator[str]:
    try:
        entries = read_record(record)
    except ValueError as error:
        yield f"RECORD: {error}"
        return
    exempt = {f"{folder}/{name}" for name in ("RECORD", *SIGNATURES)}
    sizes = {member.name: member.size for member in members if not member.name.endswith("/")}
    counts = Counter(entry.name for entry in entries)
    yield from (f"RECORD does not list {name!r}" for name in sizes if name not in counts and name not in exempt)
    yield from (f"RECORD lists {name!r} {count} times" for name, count in counts.items() if count > 1)
    for entry in entries:
        if entry.name not in sizes:
            yield f"RECORD lists {entry.name!r}, which is not there"
        elif entry.size is not None and entry.size != sizes[entry.name]:
            yield f"RECORD says {entry.size} bytes for {entry.name!r} of {sizes[entry.name]}"
        elif entry.name not in exempt and (fault := digest_fault(entry.digest)):
            yield f"RECORD has for {entry.name!r} {fault}"


def _same_version(text: str, version: Version) -> bool:
    try:
        return Version(text) == version
    except InvalidVersion:
        return False
