"""What each legal event changes of a build.

One function a kind of event, each with all its changes in one replacement: a log of millions is folded through
here, and a table of fields put together first would cost more than all the rest.
"""

from collections.abc import Callable
from typing import Any, Final

from msgspec.structs import replace

from . import events as e
from .build_state import Build, Status
from .envelope import Recorded


def _moved(build: Build, recorded: Recorded, _: Any, after: Status) -> Build:
    return replace(build, status=after, last=recorded.sequence)


def ended(build: Build, recorded: Recorded, _: Any, after: Status) -> Build:
    """The build at an end, of which nothing is known but when it came."""
    return replace(build, status=after, ended_at=recorded.envelope.at, last=recorded.sequence)


def _planned(build: Build, recorded: Recorded, event: e.BuildPlanned, after: Status) -> Build:
    return replace(build, status=after, plan=event, generation=1, last=recorded.sequence)


def _wanted(build: Build, recorded: Recorded, event: e.BuildWanted, _: Status) -> Build:
    wanted = build.wanted_by if event.run in build.wanted_by else (*build.wanted_by, event.run)
    return replace(build, wanted_by=wanted, last=recorded.sequence)


def _unwanted(build: Build, recorded: Recorded, event: e.BuildUnwanted, _: Status) -> Build:
    left = tuple(other for other in build.wanted_by if other != event.run)
    return replace(build, wanted_by=left, last=recorded.sequence)


def _superseded(build: Build, recorded: Recorded, event: e.AttemptSuperseded, _: Status) -> Build:
    return replace(build, superseded=(*build.superseded, event.fence), last=recorded.sequence)


def _forgotten(build: Build, recorded: Recorded, _: e.BuildForgotten, __: Status) -> Build:
    return replace(build, forgotten=True, log=None, log_fence=0, last=recorded.sequence)


def _locked(build: Build, recorded: Recorded, event: e.EnvironmentLocked, after: Status) -> Build:
    return replace(build, status=after, lock=event, last=recorded.sequence)


def _unsolvable(build: Build, recorded: Recorded, event: e.EnvironmentUnsolvable, after: Status) -> Build:
    failure = e.Failure("policy", "environment", event.reason, hint=event.hint)
    return replace(ended(build, recorded, event, after), failure=failure)


def _claimed(build: Build, recorded: Recorded, event: e.BuildClaimed, after: Status) -> Build:
    return replace(
        build,
        status=after,
        fence=recorded.sequence,
        owner=recorded.actor,
        owner_incarnation=event.incarnation,
        claimed_at=recorded.envelope.at,
        claim_target=event.target,
        attempts=event.attempt,
        claims=(*build.claims, (recorded.sequence, recorded.actor)),
        last=recorded.sequence,
    )


def _blocked(build: Build, recorded: Recorded, event: e.BuildBlocked, after: Status) -> Build:
    return replace(build, status=after, requirements=event.requirements, fence=0, owner="", last=recorded.sequence)


def _prepared(build: Build, recorded: Recorded, event: e.SourcePrepared, after: Status) -> Build:
    return replace(build, status=after, source=event, owner="", last=recorded.sequence)


def _metadata(build: Build, recorded: Recorded, event: e.MetadataPrepared, after: Status) -> Build:
    measured = replace(
        build, status=after, metadata=event, requirements=event.requirements, owner="", last=recorded.sequence
    )
    return _logged(measured, build.fence, event.log)


def _built(build: Build, recorded: Recorded, event: e.WheelBuilt, after: Status) -> Build:
    measured = replace(
        build, status=after, wheel=event, requirements=event.requirements, owner="", last=recorded.sequence
    )
    return _logged(measured, build.fence, event.log)


def _logged(build: Build, fence: int, log: e.FileRef | None) -> Build:
    """With the log of the last attempt that stored one, under that attempt's fence."""
    return build if log is None else replace(build, log=log, log_fence=fence)


def _failed(build: Build, recorded: Recorded, event: e.BuildFailed, after: Status) -> Build:
    failed = replace(ended(build, recorded, event, after), failure=event.failure, fence=0, owner="")
    return _logged(failed, build.fence, event.log)


def _aborted(build: Build, recorded: Recorded, event: e.AttemptAborted, after: Status) -> Build:
    return _logged(_given_up(build, recorded, after, event.kind, event.detail), build.fence, event.log)


def _expired(build: Build, recorded: Recorded, event: e.LeaseExpired, after: Status) -> Build:
    return _given_up(build, recorded, after, "lost", event.reason)


def _given_up(build: Build, recorded: Recorded, after: Status, kind: str, detail: str) -> Build:
    aborts = (*build.aborts, (build.tried_by or "?", kind, detail))
    return replace(build, status=after, aborts=aborts, fence=0, owner="", wheel=None, last=recorded.sequence)


def _satisfied(build: Build, recorded: Recorded, event: e.BuildSatisfied, after: Status) -> Build:
    return replace(ended(build, recorded, event, after), satisfied_by=event, fence=0, owner="")


def _without_dependency(build: Build, recorded: Recorded, event: e.DependencyFailed, after: Status) -> Build:
    return replace(ended(build, recorded, event, after), chain=event.chain)


def _cancelled(build: Build, recorded: Recorded, event: e.BuildCancelled, after: Status) -> Build:
    return replace(ended(build, recorded, event, after), fence=0, owner="")


def _reopened(build: Build, recorded: Recorded, _: Any, after: Status) -> Build:
    """A new generation starts without the results, failures, aborts and wanters of the old one."""
    return Build(
        build.id,
        after,
        build.plan,
        generation=build.generation + 1,
        attempts=build.attempts,
        source=build.source,
        owner_incarnation=build.owner_incarnation,
        claimed_at=build.claimed_at,
        claim_target=build.claim_target,
        log=build.log,
        log_fence=build.log_fence,
        claims=build.claims,
        superseded=build.superseded,
        last=recorded.sequence,
        ignored=build.ignored,
    )


Change = Callable[[Build, Recorded, Any, Status], Build]
CHANGES: Final[dict[type, Change]] = {
    e.BuildPlanned: _planned,
    e.BuildWanted: _wanted,
    e.BuildUnwanted: _unwanted,
    e.AttemptSuperseded: _superseded,
    e.BuildForgotten: _forgotten,
    e.EnvironmentLocked: _locked,
    e.EnvironmentUnsolvable: _unsolvable,
    e.BuildQueued: _moved,
    e.BuildClaimed: _claimed,
    e.BuildBlocked: _blocked,
    e.SourcePrepared: _prepared,
    e.MetadataPrepared: _metadata,
    e.WheelBuilt: _built,
    e.BuildFailed: _failed,
    e.AttemptAborted: _aborted,
    e.LeaseExpired: _expired,
    e.BuildSatisfied: _satisfied,
    e.DependencyFailed: _without_dependency,
    e.BuildReopened: _reopened,
    e.QuarantineLifted: _reopened,
    e.BuildCancelled: _cancelled,
}
"""What a legal event changes, by its type; the others only end the build."""
