"""METADATA of a wheel, read leniently: what installers act on must parse, the rest is a warning."""

from collections.abc import Callable, Iterable, Iterator

import msgspec
from packaging.metadata import Metadata, RawMetadata, parse_email
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidName, canonicalize_name
from packaging.version import InvalidVersion, Version

_READ = ("Name", "Version", "Requires-Dist", "Provides-Extra", "Requires-Python")


LONGEST_LIST = 128 * 1024
"""Bytes of all requirements of one kind: the longest that are published have half of it, and an event holds twice."""
_SHOWN = 200
_TOO_LONG = f"METADATA: Requires-Dist, Requires-Python and Provides-Extra are longer than {LONGEST_LIST} bytes"


def is_too_long(texts: Iterable[str]) -> bool:
    """Whether these are more than events hold, and so than anything honest has."""
    return sum(len(text.encode()) for text in texts) > LONGEST_LIST


class CoreMetadata(msgspec.Struct, frozen=True):
    """The fields that installers act on, as written; empty where a field is missing."""

    name: str = ""
    version: str = ""
    requires_dist: tuple[str, ...] = ()
    requires_python: str = ""
    provides_extra: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def read_metadata(data: bytes) -> tuple[CoreMetadata, tuple[str, ...]]:
    """What the bytes of METADATA (or PKG-INFO) say, and every fault in the fields that count.

    A field of these that stands where one alone is allowed, or is no UTF-8, is a fault too.
    """
    raw, unparsed = parse_email(data)
    core = CoreMetadata(
        name=raw.get("name", ""),
        version=raw.get("version", ""),
        requires_dist=tuple(raw.get("requires_dist", ())),
        requires_python=raw.get("requires_python", ""),
        provides_extra=tuple(raw.get("provides_extra", ())),
        warnings=tuple(_warnings(raw, unparsed)),
    )
    if is_too_long((*core.requires_dist, core.requires_python, *core.provides_extra)):
        # Nothing of it is read: all that is told of a wheel stands in one event.
        return CoreMetadata(core.name[:_SHOWN], core.version[:_SHOWN]), (_TOO_LONG,)
    lost = [f"METADATA: {field} cannot be read" for field in _READ if field.lower() in unparsed]
    return core, (*lost, *_faults(core))


def _faults(core: CoreMetadata) -> Iterator[str]:
    yield from _unreadable("Name", [core.name], lambda text: canonicalize_name(text, validate=True))
    yield from _unreadable("Version", [core.version], Version)
    yield from _unreadable("Requires-Dist", core.requires_dist, Requirement)
    yield from _unreadable("Requires-Python", [core.requires_python], SpecifierSet)
    yield from _unreadable("Provides-Extra", core.provides_extra, lambda text: canonicalize_name(text, validate=True))


def _unreadable(field: str, texts: Iterable[str], parse: Callable[[str], object]) -> Iterator[str]:
    for text in texts:
        try:
            parse(text)
        except (InvalidName, InvalidVersion, InvalidRequirement, InvalidSpecifier):
            yield f"METADATA: {field} {text!r} cannot be read"


def _warnings(raw: RawMetadata, unparsed: dict[str, list[str]]) -> Iterator[str]:
    """What a strict reader would refuse, in one line each."""
    yield from (f"METADATA: {field} is unknown or stands too often" for field in sorted(unparsed))
    try:
        Metadata.from_raw(raw)
    except ExceptionGroup as group:
        yield from (f"METADATA: {str(error).splitlines()[0]}" for error in group.exceptions)
