"""Which role may append which event; the folds ignore and count what breaks this."""

from functools import lru_cache

from . import events as e
from .envelope import Unknown, role_of

_AGENT = (
    e.BuildClaimed,
    e.BuildBlocked,
    e.SourcePrepared,
    e.MetadataPrepared,
    e.WheelBuilt,
    e.BuildFailed,
    e.AttemptAborted,
    e.AgentJoined,
    e.AgentLeft,
    e.TargetDefined,
)
_OPERATOR = (
    e.RunSubmitted,
    e.RunCancelRequested,
    e.AgentDrainRequested,
    e.AgentRemoved,
    e.QuarantineLifted,
    e.BuildReopened,
    e.WheelWithdrawn,
    e.WheelYanked,
)
_COORDINATOR_NEVER = (
    e.BuildClaimed,
    e.BuildBlocked,
    e.SourcePrepared,
    e.MetadataPrepared,
    e.WheelBuilt,
    e.AgentJoined,
    e.RunSubmitted,
)

ALLOWED: dict[str, frozenset[type]] = {
    "agent": frozenset(_AGENT),
    "operator": frozenset(_OPERATOR),
    "coordinator": frozenset(
        kind
        for group in (e.RunEvent, e.GraphEvent, e.SourceEvent, e.BuildEvent, e.FileEvent, e.AgentEvent)
        for kind in group.__args__
        if kind not in _COORDINATOR_NEVER
    )
    | {e.IndexUpdated, e.TargetDefined},
}


def may_append(role: str, event: e.Event | Unknown) -> bool:
    """Whether the role may state this fact; unknown events are nobody's."""
    return type(event) in ALLOWED.get(role, frozenset())


@lru_cache(maxsize=1 << 12)
def kinds_of(actor: str) -> frozenset[type]:
    """The kinds of event that an actor may append, by the role in its name."""
    return ALLOWED.get(role_of(actor), frozenset())
