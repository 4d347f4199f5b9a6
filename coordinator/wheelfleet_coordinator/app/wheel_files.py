"""What a wheel on disk says of itself."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from wheelfleet_shared.core.wheel_check import Member, WheelFacts, check_wheel, dist_info_folder
from wheelfleet_shared.errors import PolicyError
from wheelfleet_shared.names import NodeKey

from ..core.cached_wheel import build_lists


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
            metadata, wheel, record = (archive.read(f"{folder}/{name}") for name in ("METADATA", "WHEEL", "RECORD"))
    except (zipfile.BadZipFile, KeyError) as error:
        raise PolicyError(f"{path.name} is no wheel: {error}", "get the file anew") from error
    facts = check_wheel(path.name, members, metadata, wheel, record, node)
    return WheelContents(facts, metadata, folder, _lists(path, folder))


def _lists(path: Path, folder: str) -> Mapping[str, tuple[str, ...]] | None:
    try:
        return build_lists(path, folder)
    except PolicyError:
        return None
