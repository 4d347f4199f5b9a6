"""Reading a wheel that lies on disk: its check, its members' contents, the digest of its payload."""

import base64
import hashlib
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from wheelfleet_shared.core.wheel_check import Member, WheelFacts, check_wheel, dist_info_folder
from wheelfleet_shared.names import NodeKey, Sha256

_CHUNK = 1 << 20
_SCHEME = b"wheel payload/1"


class Content(msgspec.Struct, frozen=True):
    """One member: name, whether it is executable, sha256 (32 bytes) and size of its content."""

    name: str
    executable: bool
    sha256: bytes
    size: int


def check_opened(archive: zipfile.ZipFile, file_name: str, wanted: NodeKey | None = None) -> WheelFacts:
    """``check_wheel`` on an opened file; digests of contents are not looked at."""
    members = [Member(info.filename, info.file_size, info.CRC) for info in archive.infolist()]
    folder = dist_info_folder(file_name, [member.name for member in members])
    metadata, wheel, record = (archive.read(f"{folder}/{name}") for name in ("METADATA", "WHEEL", "RECORD"))
    return check_wheel(file_name, members, metadata, wheel, record, wanted)


def is_executable(info: zipfile.ZipInfo) -> bool:
    """Whether the owner may execute the member; no for archives without Unix modes."""
    return bool(info.external_attr >> 16 & 0o100)


def chunks_of(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """The member's content in pieces of 1 MiB. Raises zipfile.BadZipFile where its CRC differs."""
    with archive.open(info) as opened:
        while chunk := opened.read(_CHUNK):
            yield chunk


def verified(chunks: Iterable[bytes], name: str, listed: str, faults: list[str]) -> Iterator[bytes]:
    """The chunks; after the last, a fault is added where they are not what RECORD lists."""
    algorithm, _, value = listed.partition("=")
    hashed = hashlib.new(algorithm)
    for chunk in chunks:
        hashed.update(chunk)
        yield chunk
    if base64.urlsafe_b64encode(hashed.digest()).rstrip(b"=") != value.rstrip("=").encode():
        faults.append(f"RECORD's digest of {name!r} is not its content's")


def payload_digest(wheel: Path) -> Sha256:
    """A sha256 over (name, executable or not, content) of all members, sorted.

    Equal for two wheels that install equally, whatever compressed them. Cost: reads all members.
    """
    with zipfile.ZipFile(wheel) as archive:
        return payload_of([_content(archive, info) for info in archive.infolist() if not info.is_dir()])


def payload_of(contents: Iterable[Content]) -> Sha256:
    """``payload_digest`` from members already read."""
    hashed = hashlib.sha256(_SCHEME)
    for content in sorted(contents, key=lambda content: content.name.encode()):
        name = content.name.encode()
        hashed.update(len(name).to_bytes(8, "big") + name + bytes([content.executable]) + content.sha256)
    return Sha256(hashed.hexdigest())


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Content:
    hashed = hashlib.sha256()
    for chunk in chunks_of(archive, info):
        hashed.update(chunk)
    return Content(info.filename, is_executable(info), hashed.digest(), info.file_size)
