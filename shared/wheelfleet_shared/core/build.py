"""The build aggregate: one wanted result, from its plan to its end.

Rules that live here: who owns a build (its fence), what may follow what, and that an event which
is not legal in the folded state changes nothing but a counter. The fold knows no other aggregate;
rules across aggregates are kept by those who decide.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from ..names import BuildId, BuildKey, IndexName, NodeKey, TargetId, digest
from . import events as e
from .build_changes import CHANGES, Change, ended
from .build_state import ENDED, GOOD, Build, Status
from .envelope import Recorded, role_of
from .recipe import NodeRecipe
from .roles import ALLOWED

__all__ = [
    "ABORT_BUDGET",
    "ENDED",
    "GOOD",
    "KEEPS_STATE",
    "TRANSITIONS",
    "Build",
    "Status",
    "build_key",
    "evolve",
    "plan_build",
]

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
    identity, nor is what an agent needs to have, nor what is called once the wheel is there.
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
        hooks=recipe.hooks if goal == "wheel" or _is_prebuilt(goal, recipe) else "",
    )
    return BuildId(digest("build/1", key, target)), plan


def _is_prebuilt(goal: e.Goal, recipe: NodeRecipe) -> bool:
    """Whether the source is a wheel made elsewhere: only those have no build tag."""
    return goal == "source" and not recipe.build_tag


def evolve(build: Build, recorded: Recorded) -> Build:
    """The build after one more event; total: what is not legal is counted and changes nothing else.

    Legal is what the actor's role may state, in a state that the event may follow, under the current fence.
    """
    event = recorded.envelope.event
    rule = _rules_of(recorded.actor).get(type(event))
    if rule is None:
        return _refused(build, recorded)
    states, after, holds, change = rule
    if build.status not in states or not (holds is None or holds(build, recorded, event)):
        return _refused(build, recorded)
    return change(build, recorded, event, after)


def _refused(build: Build, recorded: Recorded) -> Build:
    return replace(build, ignored=build.ignored + 1, last=recorded.sequence)


def _owns(build: Build, recorded: Recorded, event: Any) -> bool:
    return bool(recorded.actor == build.owner and event.fence == build.fence)


def _is_current(build: Build, _: Recorded, event: Any) -> bool:
    return bool(event.fence == build.fence)


def _is_next(build: Build, _: Recorded, event: e.BuildClaimed) -> bool:
    return event.attempt == build.attempts + 1


class _Rule(NamedTuple):
    """One kind of event from one role: the states it may follow, the state after, what must hold, what changes."""

    states: frozenset[Status]
    after: Status
    holds: Callable[[Build, Recorded, Any], bool] | None
    change: Change


def _rule(role: str, kind: type) -> _Rule:
    states, after = TRANSITIONS.get(kind, (frozenset(Status) - {Status.ABSENT}, Status.ABSENT))
    return _Rule(states, after, _condition(role, kind), CHANGES.get(kind, ended))


def _condition(role: str, kind: type) -> Callable[[Build, Recorded, Any], bool] | None:
    if kind is e.BuildClaimed:
        return _is_next
    if role == "agent" and (kind in _FENCED or kind is e.BuildFailed):
        return _owns
    return _is_current if kind in _FENCED else None


_RULES: Final = {
    role: {kind: _rule(role, kind) for kind in kinds if kind in TRANSITIONS or kind in KEEPS_STATE}
    for role, kinds in ALLOWED.items()
}
"""All that is legal, looked up in one step: a log of millions is folded through here."""


@lru_cache(maxsize=1 << 12)
def _rules_of(actor: str) -> Mapping[type, _Rule]:
    return _RULES.get(role_of(actor), {})
