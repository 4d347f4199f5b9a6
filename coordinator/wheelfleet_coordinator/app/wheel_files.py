"""What a wheel on disk says of itself."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from wheelfleet_shared.core.wheel_check import Member, WheelFacts, check_wheel, dist_info_folder
from wheelfleet_shared.errors import PolicyError
from wheelfleet_shared.names import NodeKey

from ..core.cached_wheel import UNREADABLE, build_lists

LARGEST_MEMBER: Final = 64 * 2**20
"""Bytes of METADATA, WHEEL or RECORD; a RECORD of 100,000 files has ten million."""


class WheelContents(NamedTuple):
    """The facts of a checked wheel, its METADATA, and the name of its dist-info folder.

    lists: the build requirements that it tells of, by kind; None where it does not tell of them.
    """

    facts: WheelFacts
    metadata: bytes
    folder: str
    lists: Mapping[str, tuple[str, ...]] | None = None


def read_wheel(path: Path, node: NodeKey) -> WheelContents:
    """The wheel, if it is one of this node. Raises PolicyError with every fault.

    Cost: reads three small members; the hashes of RECORD are not computed.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [Member(i.filename, i.file_size, i.CRC) for i in archive.infolist() if not i.is_dir()]
            folder = dist_info_folder(path.name, [member.name for member in members])
            metadata, wheel, record = (_member(archive, f"{folder}/{name}") for name in ("METADATA", "WHEEL", "RECORD"))
    except UNREADABLE as error:
        raise PolicyError(f"{path.name} is no wheel: {error}", "get the file anew") from error
    facts = check_wheel(path.name, members, metadata, wheel, record, node)
    return WheelContents(facts, metadata, folder, _lists(path, folder))


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    """The bytes of a member; no more are unpacked than its header says, so a bomb must announce itself."""
    size = archive.getinfo(name).file_size
    if size > LARGEST_MEMBER:
        raise zipfile.BadZipFile(f"{name} unpacks to {size} bytes")
    return archive.read(name)


def _lists(path: Path, folder: str) -> Mapping[str, tuple[str, ...]] | None:
    try:
        return build_lists(path, folder)
    except PolicyError:
        return None
