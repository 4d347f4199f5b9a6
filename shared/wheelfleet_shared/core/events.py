"""Every event of the log: facts in the past tense, the only definition.

Rules of evolution: a new field has a default; the type of a field never changes; an event that
was ever released still decodes. Text fields hold what ``str()`` of the ``packaging`` object gives.
"""

from typing import Literal

import msgspec

from ..names import BuildId, BuildKey, IndexName, NodeKey, RunId, Sha256, TargetId
from .targets import TargetDefinition

Goal = Literal["source", "metadata", "wheel"]
EdgeKind = Literal["toplevel", "build-system", "build-backend", "build-sdist", "install"]
Stage = Literal["toplevel", "build-system", "hook", "install"]
Expectation = Literal["pure", "native", "open"]
FailureKind = Literal["source", "backend", "policy"]
AbortKind = Literal[
    "lost",
    "shutdown",
    "out_of_memory",
    "disk_full",
    "upload",
    "download",
    "cancelled",
    "timeout_total",
    "timeout_silent",
    "sandbox",
]


class EventBase(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag=True):
    """What all events share: immutable, tagged by class name, defaults left out."""


class FileRef(msgspec.Struct, frozen=True, omit_defaults=True, order=True):
    """A file by name and content; ``size`` in bytes."""

    file_name: str
    sha256: Sha256
    size: int


# --- run ----------------------------------------------------------------------------------------


class RunOptions(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a run was asked for; what changes results is part of it, what only shows them is not.

    as_of: seconds since the epoch; nothing uploaded later is seen. cache_servers: index URLs
    without credentials. hashes: requirement text → allowed sha256.
    """

    sdist_only: bool = False
    skip_constraints: bool = False
    fail_fast: bool = False
    as_of: float | None = None
    index_url: str = ""
    index_origin: str = ""
    cache_servers: tuple[str, ...] = ()
    cores_per_build: int = 0
    hashes: dict[str, tuple[str, ...]] = {}


class RunSubmitted(EventBase, frozen=True):
    """A user asked for these requirements on these targets.

    bundle: sha256 of the run's inputs that are too large for an event (constraints, previous graph).
    """

    run: RunId
    index: IndexName
    targets: tuple[TargetId, ...]
    requirements: tuple[str, ...]
    options: RunOptions = RunOptions()
    bundle: Sha256 | None = None


class ProjectListed(EventBase, frozen=True):
    """A page of the upstream index was read for this run and pinned; empty digest: no such project."""

    project: str
    page: Sha256 | Literal[""]
    content_type: str
    url: str
    upload_times: bool = False
    hashes: bool = True


class RunCancelRequested(EventBase, frozen=True):
    """A user no longer wants this run."""

    reason: str = ""


class RunFinished(EventBase, frozen=True):
    """Nothing more will happen in this run; every page it changed is written."""

    outcome: Literal["succeeded", "failed", "cancelled"]
    succeeded: int
    failed: int


# --- graph (of a run and target) ------------------------------------------------------------------


class Edge(msgspec.Struct, frozen=True, omit_defaults=True):
    """One requirement of a node, and the node chosen for it.

    requirement: as its parent states it, markers and extras kept. source: the upstream sdist;
    its sha256 is empty where the index promises none. why: the rule that chose the version.
    """

    kind: EdgeKind
    requirement: str
    node: NodeKey
    source_url: str
    source_name: str
    source_sha256: str = ""
    source_type: Literal["sdist", "prebuilt", "override"] = "sdist"
    expectation: Expectation = "open"
    constraint: str = ""
    why: str = ""


class RequirementsResolved(EventBase, frozen=True):
    """All requirements of one stage of one node have their versions; node None: the run itself.

    extras: of the parent as it was required, which decide the install requirements. more: further
    edges of the stage follow in the next event of the same decision, since events are bounded.
    """

    run: RunId
    target: TargetId
    node: NodeKey | None
    stage: Stage
    edges: tuple[Edge, ...]
    extras: tuple[str, ...] = ()
    more: bool = False


class RequirementUnresolvable(EventBase, frozen=True):
    """No version can be chosen for a requirement of a node; the others of its stage are in ``edges``."""

    run: RunId
    target: TargetId
    node: NodeKey | None
    stage: Stage
    requirement: str
    reason: str
    hint: str = ""
    extras: tuple[str, ...] = ()


# --- source file ----------------------------------------------------------------------------------


class SourceFetched(EventBase, frozen=True):
    """The upstream file lies in our store; ``promised`` is what the index said of it, or empty.

    url: without credentials. epoch: newest mtime in the archive is left to preparation.
    """

    url: str
    file: FileRef
    promised: str = ""


class FetchFailed(EventBase, frozen=True):
    """The upstream file cannot be had: gone, other bytes than promised, no archive."""

    url: str
    reason: str
    hint: str = ""


# --- build ----------------------------------------------------------------------------------------


class BuildPlanned(EventBase, frozen=True):
    """A build was named; its id is the digest of what stands here.

    target: ``any`` for one that is expected to serve all. host: the target whose agents build it.
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


class BuildWanted(EventBase, frozen=True):
    """A run wants the result of this build."""

    run: RunId


class BuildUnwanted(EventBase, frozen=True):
    """A run does not want the result any more."""

    run: RunId


class LockedFile(msgspec.Struct, frozen=True, omit_defaults=True, order=True):
    """A published wheel of an environment."""

    name: str
    version: str
    file: FileRef


class EnvironmentLocked(EventBase, frozen=True):
    """The environment of the next attempts is exactly these files, all published.

    generation: counts locks of this build from 1. static: made from the static build requirements
    alone, so the hook may still ask for more. digest: over the sorted sha256s.
    """

    generation: int
    files: tuple[LockedFile, ...]
    digest: str
    static: bool


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


class Resources(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an attempt cost: seconds of wall and CPU, peak memory in bytes, hooks called."""

    wall: float = 0.0
    cpu: float = 0.0
    memory: int = 0
    hooks: int = 0


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
    """The wheel is uploaded. requirements: what the hook asked for, in the environment or not. log: stored by fence."""

    fence: int
    wheel: FileRef
    payload: str
    requirements: tuple[str, ...]
    toolchain: str = ""
    sandbox: str = ""
    resources: Resources = Resources()
    log: FileRef | None = None


class BuildSucceeded(EventBase, frozen=True):
    """The result holds: a source or metadata was verified, a wheel is published."""


class Failure(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a build failed, for people: the phase, the line that matters, the end of the log, a hint."""

    kind: FailureKind
    phase: str
    line: str
    tail: tuple[str, ...] = ()
    hint: str = ""


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
    """A person looked."""


class BuildReopened(EventBase, frozen=True):
    """An ended build starts again as a new generation."""

    reason: Literal["wanted", "forced", "replace", "lost"]
    run: RunId | Literal[""] = ""


class BuildCancelled(EventBase, frozen=True):
    """No run wants it any more."""


class DependencyFailed(EventBase, frozen=True):
    """A build requirement, or something that one installs, cannot be had. chain: from there to here."""

    chain: tuple[str, ...]


# --- file and page --------------------------------------------------------------------------------


class WheelAccepted(EventBase, frozen=True):
    """The commit point: from now on this file name means these bytes."""

    index: IndexName
    build: BuildId
    key: BuildKey
    node: NodeKey
    file: FileRef
    metadata_sha256: Sha256
    requires_dist: tuple[str, ...] = ()
    requires_python: str = ""
    provides_extra: tuple[str, ...] = ()


class WheelTakenOver(EventBase, frozen=True):
    """A wheel that we did not build serves under this file name. origin: URL without credentials.

    build_system, build_backend: the build requirements that the wheel itself tells of.
    """

    index: IndexName
    build: BuildId
    key: BuildKey
    node: NodeKey
    file: FileRef
    metadata_sha256: Sha256
    origin: str
    requires_dist: tuple[str, ...] = ()
    requires_python: str = ""
    provides_extra: tuple[str, ...] = ()
    build_system: tuple[str, ...] = ()
    build_backend: tuple[str, ...] = ()


class WheelPublished(EventBase, frozen=True):
    """Blob and metadata are in place: builds may use the wheel. The time of this event is its upload time."""


class RebuildDiffered(EventBase, frozen=True):
    """A build made other bytes for a file name that is taken."""

    build: BuildId
    wheel: FileRef


class WheelWithdrawn(EventBase, frozen=True):
    """An operator took the file out of the index; the next revision is open."""

    reason: str


class WheelLost(EventBase, frozen=True):
    """The blob is gone from the store; the next revision is open."""

    reason: str


class WheelYanked(EventBase, frozen=True):
    """Installers should not choose this file any more."""

    reason: str


class IndexUpdated(EventBase, frozen=True):
    """A project's pages lie in the store. through: the sequence of the last event they show."""

    index: IndexName
    project: str
    html: Sha256
    json: Sha256
    files: int
    through: int


# --- agent and target -----------------------------------------------------------------------------


class AgentJoined(EventBase, frozen=True):
    """An agent's process offers its slots. incarnation: random, new at each start of the process.

    memory, disk: bytes free for builds. host: a digest of the host's identity and toolchain.
    """

    incarnation: str
    targets: tuple[TargetId, ...]
    slots: int
    labels: tuple[str, ...] = ()
    memory: int = 0
    disk: int = 0
    sandbox: str = "none"
    toolchain: str = ""
    host: str = ""
    version: str = ""


class AgentDrainRequested(EventBase, frozen=True):
    """The agent gets no new claims until ``drain`` is false again."""

    drain: bool = True


class AgentQuarantined(EventBase, frozen=True):
    """What others build fails here; no new claims until a person looked."""

    evidence: tuple[str, ...]


class AgentLeft(EventBase, frozen=True):
    """The agent's process ended in good order."""

    incarnation: str


class TargetDefined(EventBase, frozen=True):
    """The first agent that offers a target fixes what it means."""

    definition: TargetDefinition


RunEvent = RunSubmitted | ProjectListed | RunCancelRequested | RunFinished
GraphEvent = RequirementsResolved | RequirementUnresolvable
SourceEvent = SourceFetched | FetchFailed
BuildEvent = (
    BuildPlanned
    | BuildWanted
    | BuildUnwanted
    | EnvironmentLocked
    | EnvironmentUnsolvable
    | BuildQueued
    | BuildClaimed
    | BuildBlocked
    | SourcePrepared
    | MetadataPrepared
    | WheelBuilt
    | BuildSucceeded
    | BuildFailed
    | AttemptAborted
    | LeaseExpired
    | AttemptSuperseded
    | BuildSatisfied
    | BuildSplit
    | BuildQuarantined
    | QuarantineLifted
    | BuildReopened
    | BuildCancelled
    | DependencyFailed
)
FileEvent = WheelAccepted | WheelTakenOver | WheelPublished | RebuildDiffered | WheelWithdrawn | WheelLost | WheelYanked
PageEvent = IndexUpdated
AgentEvent = AgentJoined | AgentDrainRequested | AgentQuarantined | AgentLeft
TargetEvent = TargetDefined
Event = RunEvent | GraphEvent | SourceEvent | BuildEvent | FileEvent | PageEvent | AgentEvent | TargetEvent
