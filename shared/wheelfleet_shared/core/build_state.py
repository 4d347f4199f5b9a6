"""What a build is while its events are folded: where it stands, and all that is known of it."""

from enum import StrEnum
from typing import Final

import msgspec

from ..names import BuildId, RunId, TargetId
from . import events as e


class Status(StrEnum):
    """Where a build stands; ``ENDED`` ones stay but for the re-openings."""

    ABSENT = "absent"
    PLANNED = "planned"
    LOCKED = "locked"
    QUEUED = "queued"
    CLAIMED = "claimed"
    BLOCKED = "blocked"
    BUILT = "built"
    ABORTED = "aborted"
    SUCCEEDED = "succeeded"
    SATISFIED = "satisfied"
    FAILED = "failed"
    UNSOLVABLE = "unsolvable"
    DEPENDENCY_FAILED = "dependency_failed"
    QUARANTINED = "quarantined"
    CANCELLED = "cancelled"
    SPLIT = "split"


ENDED: Final = frozenset(
    {
        Status.SUCCEEDED,
        Status.SATISFIED,
        Status.FAILED,
        Status.UNSOLVABLE,
        Status.DEPENDENCY_FAILED,
        Status.QUARANTINED,
        Status.CANCELLED,
        Status.SPLIT,
    }
)
GOOD: Final = frozenset({Status.SUCCEEDED, Status.SATISFIED})


class Build(msgspec.Struct, frozen=True, gc=False):
    """The folded state of one build.

    fence: sequence of the claim that owns it, 0 for none. generation: counts re-openings; the lock
    has a count of its own. requirements: what the hook wants, None until it was asked; kept over
    attempts since it depends on the source and the static environment alone. source: of the last
    preparation that ended; what it says holds for every other one too. forgotten: no run led here any
    more, so logs and prepared sdist may be gone. claims: fence and agent of every attempt ever.
    superseded: fences of those that had a result when another attempt had the build. ignored: events
    that were not legal here. last: sequence of the aggregate's last event, legal or not.
    """

    id: BuildId
    status: Status = Status.ABSENT
    plan: e.BuildPlanned | None = None
    wanted_by: tuple[RunId, ...] = ()
    generation: int = 0
    attempts: int = 0
    lock: e.EnvironmentLocked | None = None
    fence: int = 0
    owner: str = ""
    owner_incarnation: str = ""
    claimed_at: float = 0.0
    claim_target: TargetId | None = None
    requirements: tuple[str, ...] | None = None
    source: e.SourcePrepared | None = None
    metadata: e.MetadataPrepared | None = None
    wheel: e.WheelBuilt | None = None
    satisfied_by: e.BuildSatisfied | None = None
    failure: e.Failure | None = None
    chain: tuple[str, ...] = ()
    aborts: tuple[tuple[str, str, str], ...] = ()
    log: e.FileRef | None = None
    log_fence: int = 0
    ended_at: float = 0.0
    forgotten: bool = False
    claims: tuple[tuple[int, str], ...] = ()
    superseded: tuple[int, ...] = ()
    last: int = 0
    ignored: int = 0

    @property
    def tried_by(self) -> str:
        """The agent of the last attempt; empty where there was none."""
        return self.claims[-1][1] if self.claims else ""

    @property
    def ended(self) -> bool:
        """Whether nothing more happens without a re-opening."""
        return self.status in ENDED
