"""The WHEEL file of a wheel against its file name (PEP 427)."""

from collections.abc import Iterator
from email.message import Message
from email.parser import BytesHeaderParser

from packaging.tags import Tag, parse_tag

from .expectation import is_pure

_MAJOR = "1"


def check_wheel_text(data: bytes, tags: frozenset[Tag], build_tag: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Faults and warnings of the WHEEL file's bytes, given tags and build tag of the file name."""
    message = BytesHeaderParser().parsebytes(data)
    faults = (*_version_faults(message), *_tag_faults(message, tags), *_build_faults(message, build_tag))
    purity = str(message.get("Root-Is-Purelib", "")).strip().lower()
    if purity not in {"true", "false"}:
        return (*faults, "WHEEL: Root-Is-Purelib is neither true nor false"), ()
    if purity == "true" and any(tag.abi != "none" for tag in tags):
        return (*faults, "WHEEL: Root-Is-Purelib is true, its tags have an ABI"), ()
    if (purity == "true") != is_pure(tags):
        # py3-none-<platform> wheels of executables, and old backends, have either.
        return faults, (f"WHEEL: Root-Is-Purelib is {purity}, unusual for its tags",)
    return faults, ()


def _version_faults(message: Message) -> Iterator[str]:
    version = str(message.get("Wheel-Version", "")).strip()
    if version.split(".")[0] != _MAJOR:
        yield f"WHEEL: Wheel-Version {version!r} is not 1.x"


def _tag_faults(message: Message, tags: frozenset[Tag]) -> Iterator[str]:
    try:
        listed = frozenset(tag for text in message.get_all("Tag", []) for tag in parse_tag(str(text).strip()))
    except ValueError:
        yield "WHEEL: a Tag cannot be read"
        return
    if listed != tags:
        yield f"WHEEL: tags {_text(listed)} are not the file name's {_text(tags)}"


def _build_faults(message: Message, build_tag: str) -> Iterator[str]:
    listed = str(message.get("Build", "")).strip()
    if listed != build_tag:
        yield f"WHEEL: build tag {listed!r} is not the file name's {build_tag!r}"


def _text(tags: frozenset[Tag]) -> str:
    return ", ".join(sorted(str(tag) for tag in tags)) or "none"
