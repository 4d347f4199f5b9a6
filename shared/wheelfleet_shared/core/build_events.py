"""Events of builds: the plan, the claims, the results and the ends."""

from typing import Literal

import msgspec

from ..names import BuildId, BuildKey, IndexName, NodeKey, RunId, TargetId
from .event_base import AbortKind, EventBase, Expectation, Failure, FileRef, Goal, Resources
from .recipe import Needs


class BuildPlanned(EventBase, frozen=True):
    """A build was named; its id is the digest of what stands here.

    target: ``any`` for one that is expected to serve all. host: the target whose agents build it.
    preparation, recipe: digests of what the user's settings say to its source and to the build.
    needs, hooks (a digest): no part of the id.
    """

    goal: Goal
    key: BuildKey
    index: IndexName
    node: NodeKey
    target: TargetId
    host: TargetId
    source: FileRef
    source_url: str
    expectation: Expectation = "open"
    build_tag: str = "0"
    preparation: str = ""
    recipe: str = ""
    needs: Needs = Needs()
    hooks: str = ""


class BuildWanted(EventBase, frozen=True):
    """A run wants the result of this build."""

    run: RunId


class BuildUnwanted(EventBase, frozen=True):
    """A run does not want the result any more."""

    run: RunId


class LockedFile(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, order=True):
    """A published wheel of an environment."""

    name: str
    version: str
    file: FileRef


class EnvironmentLocked(EventBase, frozen=True):
    """The environment of the next attempts is exactly these files, all published.

    generation: counts locks of this build from 1. static: made from the static build requirements
    alone, so the hook may still ask for more. digest: over the sorted sha256s. anew: what the hook
    answered holds for another environment than this, so it is asked in this one too.
    """

    generation: int
    files: tuple[LockedFile, ...]
    digest: str
    static: bool
    anew: bool = False


class EnvironmentUnsolvable(EventBase, frozen=True):
    """No choice among the published wheels satisfies all build requirements."""

    reason: str
    hint: str = ""


class BuildQueued(EventBase, frozen=True):
    """The build may be claimed."""


class BuildClaimed(EventBase, frozen=True):
    """An agent owns the build; the stream sequence of this event is the fence.

    attempt: counts from 1 within the build. incarnation: of the agent's process.
    """

    attempt: int
    incarnation: str
    target: TargetId
    emulated: bool = False


class BuildBlocked(EventBase, frozen=True):
    """The backend wants further requirements, all of them; nothing was built."""

    fence: int
    requirements: tuple[str, ...]


class SourcePrepared(EventBase, frozen=True):
    """The patched sdist is uploaded; its static build requirements are known."""

    fence: int
    sdist: FileRef
    epoch: int
    requirements: tuple[str, ...]
    backend: str


class MetadataPrepared(EventBase, frozen=True):
    """The metadata that the wheel would have, without building it."""

    fence: int
    requires_dist: tuple[str, ...]
    requires_python: str = ""
    provides_extra: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    resources: Resources = Resources()
    log: FileRef | None = None


class WheelBuilt(EventBase, frozen=True):
    """The wheel is uploaded. requirements: what the hook asked for, in the environment or not. log: stored by fence.

    sdist: that a plugin built beside it, uploaded too; None: the patched one is all there is.
    """

    fence: int
    wheel: FileRef
    payload: str
    requirements: tuple[str, ...]
    toolchain: str = ""
    sandbox: str = ""
    resources: Resources = Resources()
    log: FileRef | None = None
    sdist: FileRef | None = None


class BuildSucceeded(EventBase, frozen=True):
    """The result holds: a source or metadata was verified, a wheel is published."""


class BuildFailed(EventBase, frozen=True):
    """The distribution itself is at fault; trying again elsewhere changes nothing. fence 0: no attempt."""

    failure: Failure
    fence: int = 0
    log: FileRef | None = None


class AttemptAborted(EventBase, frozen=True):
    """The attempt ended for a reason that is not the distribution's; another one may succeed."""

    fence: int
    kind: AbortKind
    detail: str = ""
    log: FileRef | None = None


class LeaseExpired(EventBase, frozen=True):
    """The owner was silent for too long, or came back as another incarnation."""

    fence: int
    agent: str
    reason: str = "silent"


class AttemptSuperseded(EventBase, frozen=True):
    """A stale owner reported late; ``equal`` says whether its bytes are those of the accepted wheel."""

    fence: int
    wheel: FileRef
    equal: bool


class BuildSatisfied(EventBase, frozen=True):
    """A published wheel serves this build's target: nothing is built."""

    file: FileRef
    by: BuildId | Literal[""] = ""


class BuildSplit(EventBase, frozen=True):
    """The build for any target came out native: each target needs one of its own."""

    tags: tuple[str, ...]


class BuildQuarantined(EventBase, frozen=True):
    """Too many attempts were aborted; a person has to look. evidence: agent and reason of each."""

    evidence: tuple[str, ...]


class QuarantineLifted(EventBase, frozen=True):
    """A person looked: the build may be tried again, or the agent gets builds again."""


class BuildReopened(EventBase, frozen=True):
    """An ended build starts again as a new generation."""

    reason: Literal["wanted", "forced", "replace", "lost"]
    run: RunId | Literal[""] = ""


class BuildCancelled(EventBase, frozen=True):
    """No run wants it any more."""


class DependencyFailed(EventBase, frozen=True):
    """A build requirement, or something that one installs, cannot be had. chain: from there to here."""

    chain: tuple[str, ...]


class BuildForgotten(EventBase, frozen=True):
    """No run leads to the build any more: its logs, and the sdist that it prepared, may be gone; its wheel is not."""
