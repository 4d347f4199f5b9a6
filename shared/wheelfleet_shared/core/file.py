"""The file aggregate: what is published under one file name of one index, decided once."""

from enum import StrEnum
from typing import Final

import msgspec
from msgspec.structs import replace

from ..names import FileId
from . import events as e
from .envelope import Recorded
from .roles import kinds_of


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


class WheelFile(msgspec.Struct, frozen=True, gc=False):
    """The folded state of one file name; ``published_at`` in seconds since the epoch, UTC."""

    id: FileId
    status: FileStatus = FileStatus.ABSENT
    accepted: e.Accepted | None = None
    published_at: float = 0.0
    yanked: str | None = None
    differed: int = 0
    reproduced: int = 0
    last: int = 0
    ignored: int = 0


def evolve_file(file: WheelFile, recorded: Recorded) -> WheelFile:
    """The file after one more event; total, as for builds."""
    event = recorded.envelope.event
    kind = type(event)
    if kind not in kinds_of(recorded.actor):
        return _refused(file, recorded)
    transition = FILE_TRANSITIONS.get(kind)
    if transition is None:
        return _kept(file, recorded)
    states, after = transition
    if file.status not in states:
        return _refused(file, recorded)
    if isinstance(event, e.Accepted):
        return replace(file, status=after, accepted=event, last=recorded.sequence)
    if kind is e.WheelPublished:
        return replace(file, status=after, published_at=recorded.envelope.at, last=recorded.sequence)
    return replace(file, status=after, last=recorded.sequence)


def _refused(file: WheelFile, recorded: Recorded) -> WheelFile:
    return replace(file, ignored=file.ignored + 1, last=recorded.sequence)


def _kept(file: WheelFile, recorded: Recorded) -> WheelFile:
    """What leaves the file where it stands, provided that it is there."""
    event = recorded.envelope.event
    if file.status is FileStatus.ABSENT:
        return _refused(file, recorded)
    if isinstance(event, e.WheelYanked):
        return replace(file, yanked=event.reason, last=recorded.sequence)
    if isinstance(event, e.RebuildDiffered) and event.reproduced:
        return replace(file, reproduced=file.reproduced + 1, last=recorded.sequence)
    if isinstance(event, e.RebuildDiffered):
        return replace(file, differed=file.differed + 1, last=recorded.sequence)
    return _refused(file, recorded)
