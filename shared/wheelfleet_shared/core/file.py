"""The file aggregate: what is published under one file name of one index, decided once."""

from enum import StrEnum
from typing import Final

import msgspec

from ..names import FileId
from . import events as e
from .envelope import Recorded
from .roles import may_append


class FileStatus(StrEnum):
    """Where a file name stands."""

    ABSENT = "absent"
    ACCEPTED = "accepted"
    PUBLISHED = "published"
    GONE = "gone"


FILE_TRANSITIONS: Final[dict[type, tuple[frozenset[FileStatus], FileStatus]]] = {
    e.WheelAccepted: (frozenset({FileStatus.ABSENT}), FileStatus.ACCEPTED),
    e.WheelTakenOver: (frozenset({FileStatus.ABSENT}), FileStatus.ACCEPTED),
    e.PrebuiltAccepted: (frozenset({FileStatus.ABSENT}), FileStatus.ACCEPTED),
    e.WheelPublished: (frozenset({FileStatus.ACCEPTED}), FileStatus.PUBLISHED),
    e.WheelWithdrawn: (frozenset({FileStatus.ACCEPTED, FileStatus.PUBLISHED}), FileStatus.GONE),
    e.WheelLost: (frozenset({FileStatus.ACCEPTED, FileStatus.PUBLISHED}), FileStatus.GONE),
}

_KEEPS = (e.RebuildDiffered, e.WheelYanked)


class WheelFile(msgspec.Struct, frozen=True):
    """The folded state of one file name; ``published_at`` in seconds since the epoch, UTC."""

    id: FileId
    status: FileStatus = FileStatus.ABSENT
    accepted: e.Accepted | None = None
    published_at: float = 0.0
    yanked: str | None = None
    differed: int = 0
    last: int = 0
    ignored: int = 0


def evolve_file(file: WheelFile, recorded: Recorded) -> WheelFile:
    """The file after one more event; total, as for builds."""
    event = recorded.envelope.event
    allowed = may_append(recorded.role, event)
    transition = FILE_TRANSITIONS.get(type(event))
    if allowed and transition is not None and file.status in transition[0]:
        changes: dict[str, object] = {"status": transition[1]}
        if isinstance(event, e.Accepted):
            changes["accepted"] = event
        elif isinstance(event, e.WheelPublished):
            changes["published_at"] = recorded.envelope.at
        return msgspec.structs.replace(file, last=recorded.sequence, **changes)
    if allowed and isinstance(event, _KEEPS) and file.status is not FileStatus.ABSENT:
        return _kept(file, recorded)
    return msgspec.structs.replace(file, ignored=file.ignored + 1, last=recorded.sequence)


def _kept(file: WheelFile, recorded: Recorded) -> WheelFile:
    event = recorded.event
    if isinstance(event, e.WheelYanked):
        return msgspec.structs.replace(file, yanked=event.reason, last=recorded.sequence)
    return msgspec.structs.replace(file, differed=file.differed + 1, last=recorded.sequence)
