"""The build aggregate: one wanted result, from its plan to its end.

Rules that live here: who owns a build (its fence), what may follow what, and that an event which
is not legal in the folded state changes nothing but a counter. The fold knows no other aggregate;
rules across aggregates are kept by those who decide.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final

import msgspec

from ..names import BuildId, BuildKey, IndexName, NodeKey, RunId, TargetId, digest
from . import events as e
from .envelope import Recorded
from .recipe import NodeRecipe
from .roles import may_append


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
_OPEN = frozenset(Status) - ENDED - {Status.ABSENT}
_WAITING = frozenset({Status.PLANNED, Status.BLOCKED, Status.LOCKED})
_UNCLAIMED = _WAITING | {Status.QUEUED, Status.ABORTED}
_RESULTS = frozenset({Status.CLAIMED})

TRANSITIONS: Final[dict[type, tuple[frozenset[Status], Status]]] = {
    e.BuildPlanned: (frozenset({Status.ABSENT}), Status.PLANNED),
    e.EnvironmentLocked: (_UNCLAIMED, Status.LOCKED),
    e.EnvironmentUnsolvable: (_UNCLAIMED, Status.UNSOLVABLE),
    e.BuildQueued: (frozenset({Status.PLANNED, Status.LOCKED, Status.ABORTED}), Status.QUEUED),
    e.BuildClaimed: (frozenset({Status.QUEUED}), Status.CLAIMED),
    e.BuildBlocked: (_RESULTS, Status.BLOCKED),
    e.SourcePrepared: (_RESULTS, Status.BUILT),
    e.MetadataPrepared: (_RESULTS, Status.BUILT),
    e.WheelBuilt: (_RESULTS, Status.BUILT),
    e.BuildSucceeded: (frozenset({Status.BUILT}), Status.SUCCEEDED),
    e.BuildFailed: (_OPEN, Status.FAILED),
    e.AttemptAborted: (frozenset({Status.CLAIMED, Status.BUILT}), Status.ABORTED),
    e.LeaseExpired: (_RESULTS, Status.ABORTED),
    e.BuildSatisfied: (_OPEN - {Status.BUILT}, Status.SATISFIED),
    e.BuildSplit: (frozenset({Status.BUILT}), Status.SPLIT),
    e.BuildQuarantined: (frozenset({Status.ABORTED}), Status.QUARANTINED),
    e.QuarantineLifted: (frozenset({Status.QUARANTINED}), Status.PLANNED),
    e.BuildReopened: (ENDED, Status.PLANNED),
    e.BuildCancelled: (_OPEN, Status.CANCELLED),
    e.DependencyFailed: (_UNCLAIMED, Status.DEPENDENCY_FAILED),
}
"""Event → (states it is legal in, state after). The pictures in the documentation are drawn from this table."""

KEEPS_STATE: Final = (e.BuildWanted, e.BuildUnwanted, e.AttemptSuperseded, e.BuildForgotten)
"""Legal wherever the build is known, and leave it where it stands."""

ABORT_BUDGET: Final = 5
"""Aborted attempts of one generation before a person has to look."""

_FENCED = frozenset(
    {e.BuildBlocked, e.SourcePrepared, e.MetadataPrepared, e.WheelBuilt, e.AttemptAborted, e.LeaseExpired}
)


class Build(msgspec.Struct, frozen=True):
    """The folded state of one build.

    fence: sequence of the claim that owns it, 0 for none. generation: counts re-openings; the lock
    has a count of its own. requirements: what the hook wants, None until it was asked; kept over
    attempts since it depends on the source and the static environment alone. source: of the last
    preparation that ended; what it says holds for every other one too. forgotten: no run led here any
    more, so logs and prepared sdist may be gone. ignored: events that were not legal here. last:
    sequence of the aggregate's last event, legal or not.
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
    last: int = 0
    ignored: int = 0

    @property
    def ended(self) -> bool:
        """Whether nothing more happens without a re-opening."""
        return self.status in ENDED


_PLAIN: Final = NodeRecipe()


def build_key(scheme_fields: tuple[str, ...]) -> BuildKey:
    """The digest over all that a build is, but its target."""
    return BuildKey(digest("build-key/1", *scheme_fields))


def plan_build(
    goal: e.Goal,
    index: IndexName,
    node: NodeKey,
    *,
    target: TargetId,
    host: TargetId,
    source: e.FileRef,
    source_url: str,
    expectation: e.Expectation = "open",
    recipe: NodeRecipe = _PLAIN,
) -> tuple[BuildId, e.BuildPlanned]:
    """The id of a build and the event that names it.

    The bytes of the source stand in ``source.sha256``, patches and settings in the recipe; a source is
    prepared alike whatever the settings say to the build that follows. The environment is no part of the
    identity, nor is what an agent needs to have.
    """
    after = "" if goal == "source" else recipe.build
    build_tag = "0" if goal == "source" else recipe.build_tag
    settings = digest("recipe/1", recipe.preparation, after) if recipe.preparation or after else ""
    key = build_key((goal, str(index), node.name, node.version, build_tag, source.sha256, settings))
    plan = e.BuildPlanned(
        goal=goal,
        key=key,
        index=index,
        node=node,
        target=target,
        host=host,
        source=source,
        source_url=source_url,
        expectation=expectation,
        build_tag=build_tag,
        preparation=recipe.preparation,
        recipe=after,
        needs=recipe.needs if goal != "source" else _PLAIN.needs,
    )
    return BuildId(digest("build/1", key, target)), plan


def legal(build: Build, recorded: Recorded) -> bool:
    """Whether the event may change this build: right role, right state, current fence."""
    event = recorded.envelope.event
    kind = type(event)
    if not may_append(recorded.role, event):
        return False
    transition = TRANSITIONS.get(kind)
    if transition is None:
        return kind in KEEPS_STATE and build.status is not Status.ABSENT
    if build.status not in transition[0]:
        return False
    if kind in _FENCED or (kind is e.BuildFailed and recorded.role == "agent"):
        return _holds(build, recorded)
    if type(event) is e.BuildClaimed:
        return event.attempt == build.attempts + 1
    return True


def _holds(build: Build, recorded: Recorded) -> bool:
    mine = recorded.role != "agent" or recorded.actor == build.owner
    return mine and getattr(recorded.envelope.event, "fence", None) == build.fence


def evolve(build: Build, recorded: Recorded) -> Build:
    """The build after one more event; total: what is not legal is counted and changes nothing else."""
    if not legal(build, recorded):
        return msgspec.structs.replace(build, ignored=build.ignored + 1, last=recorded.sequence)
    event = recorded.envelope.event
    kind = type(event)
    changes = _CHANGES[kind](build, recorded, event) if kind in _CHANGES else {}
    transition = TRANSITIONS.get(kind)
    if transition is not None:
        changes["status"] = transition[1]
        if transition[1] in ENDED:
            changes["ended_at"] = recorded.envelope.at
    return msgspec.structs.replace(build, last=recorded.sequence, **changes)


def _claimed(recorded: Recorded, event: e.BuildClaimed) -> dict[str, object]:
    return {
        "fence": recorded.sequence,
        "owner": recorded.actor,
        "owner_incarnation": event.incarnation,
        "claimed_at": recorded.envelope.at,
        "claim_target": event.target,
        "attempts": event.attempt,
    }


def _log(build: Build, log: e.FileRef | None) -> dict[str, object]:
    """The log of the last attempt that stored one, under that attempt's fence."""
    return {"log": log, "log_fence": build.fence} if log is not None else {}


def _aborted(build: Build, kind: str, detail: str) -> dict[str, object]:
    agent = build.owner or "?"
    return {"aborts": (*build.aborts, (agent, kind, detail)), "fence": 0, "owner": "", "wheel": None}


def _reopened(build: Build) -> dict[str, object]:
    """A new generation starts without the results, failures, aborts and wanters of the old one."""
    return {
        "generation": build.generation + 1,
        "wanted_by": (),
        "requirements": None,
        "lock": None,
        "fence": 0,
        "owner": "",
        "metadata": None,
        "wheel": None,
        "satisfied_by": None,
        "failure": None,
        "chain": (),
        "aborts": (),
        "ended_at": 0.0,
        "forgotten": False,
    }


def _wanted(build: Build, run: RunId) -> dict[str, object]:
    return {} if run in build.wanted_by else {"wanted_by": (*build.wanted_by, run)}


def _unwanted(build: Build, run: RunId) -> dict[str, object]:
    return {"wanted_by": tuple(other for other in build.wanted_by if other != run)}


def _measured(build: Build, field: str, event: e.MetadataPrepared | e.WheelBuilt) -> dict[str, object]:
    return {field: event, "requirements": event.requirements, "owner": "", **_log(build, event.log)}


def _failed(build: Build, event: e.BuildFailed) -> dict[str, object]:
    return {"failure": event.failure, "fence": 0, "owner": "", **_log(build, event.log)}


_CHANGES: Final[dict[type, Callable[[Build, Recorded, Any], dict[str, object]]]] = {
    e.BuildPlanned: lambda _, __, event: {"plan": event, "generation": 1},
    e.BuildWanted: lambda build, _, event: _wanted(build, event.run),
    e.BuildUnwanted: lambda build, _, event: _unwanted(build, event.run),
    e.EnvironmentLocked: lambda _, __, event: {"lock": event},
    e.EnvironmentUnsolvable: lambda _, __, event: {
        "failure": e.Failure("policy", "environment", event.reason, hint=event.hint)
    },
    e.BuildClaimed: lambda _, recorded, event: _claimed(recorded, event),
    e.BuildBlocked: lambda _, __, event: {"requirements": event.requirements, "fence": 0, "owner": ""},
    e.SourcePrepared: lambda _, __, event: {"source": event, "owner": ""},
    e.MetadataPrepared: lambda build, _, event: _measured(build, "metadata", event),
    e.WheelBuilt: lambda build, _, event: _measured(build, "wheel", event),
    e.BuildFailed: lambda build, _, event: _failed(build, event),
    e.AttemptAborted: lambda build, _, event: {**_aborted(build, event.kind, event.detail), **_log(build, event.log)},
    e.LeaseExpired: lambda build, _, event: _aborted(build, "lost", event.reason),
    e.BuildSatisfied: lambda _, __, event: {"satisfied_by": event, "fence": 0, "owner": ""},
    e.DependencyFailed: lambda _, __, event: {"chain": event.chain},
    e.BuildReopened: lambda build, _, __: _reopened(build),
    e.QuarantineLifted: lambda build, _, __: _reopened(build),
    e.BuildCancelled: lambda _, __, ___: {"fence": 0, "owner": ""},
    e.BuildForgotten: lambda _, __, ___: {"forgotten": True, "log": None, "log_fence": 0},
}
"""What a legal event changes beside the status, by its type: a log of millions is folded through here, and trying
one type after the other would cost more than all the rest."""
