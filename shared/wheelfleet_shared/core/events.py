"""Every event of the log: facts in the past tense, the only definition.

Rules of evolution: a new field has a default; the type of a field never changes; an event that
was ever released still decodes. Text fields hold what ``str()`` of the ``packaging`` object gives.
"""

from .build_events import (
    AttemptAborted,
    AttemptSuperseded,
    BuildBlocked,
    BuildCancelled,
    BuildClaimed,
    BuildFailed,
    BuildForgotten,
    BuildPlanned,
    BuildQuarantined,
    BuildQueued,
    BuildReopened,
    BuildSatisfied,
    BuildSplit,
    BuildSucceeded,
    BuildUnwanted,
    BuildWanted,
    DependencyFailed,
    EnvironmentLocked,
    EnvironmentUnsolvable,
    LeaseExpired,
    LockedFile,
    MetadataPrepared,
    QuarantineLifted,
    SourcePrepared,
    WheelBuilt,
)
from .event_base import (
    AbortKind,
    EdgeKind,
    EventBase,
    Expectation,
    Failure,
    FailureKind,
    FileRef,
    Goal,
    Resources,
    Stage,
)
from .file_events import (
    Accepted,
    AgentDrainRequested,
    AgentJoined,
    AgentLeft,
    AgentQuarantined,
    AgentRemoved,
    IndexUpdated,
    PrebuiltAccepted,
    RebuildDiffered,
    TargetDefined,
    WheelAccepted,
    WheelLost,
    WheelPublished,
    WheelTakenOver,
    WheelWithdrawn,
    WheelYanked,
)
from .run_events import (
    Edge,
    FetchFailed,
    PrebuiltChosen,
    ProjectListed,
    RequirementsResolved,
    RequirementUnresolvable,
    RunCancelRequested,
    RunFinished,
    RunForgotten,
    RunOptions,
    RunSubmitted,
    SourceFetched,
    SourceForgotten,
)

RunEvent = RunSubmitted | ProjectListed | RunCancelRequested | RunFinished | RunForgotten

GraphEvent = RequirementsResolved | RequirementUnresolvable | PrebuiltChosen

SourceEvent = SourceFetched | FetchFailed | SourceForgotten

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
    | BuildForgotten
)

FileEvent = (
    WheelAccepted
    | WheelTakenOver
    | PrebuiltAccepted
    | WheelPublished
    | RebuildDiffered
    | WheelWithdrawn
    | WheelLost
    | WheelYanked
)

PageEvent = IndexUpdated

AgentEvent = AgentJoined | AgentDrainRequested | AgentQuarantined | QuarantineLifted | AgentLeft | AgentRemoved

TargetEvent = TargetDefined

Event = RunEvent | GraphEvent | SourceEvent | BuildEvent | FileEvent | PageEvent | AgentEvent | TargetEvent


__all__ = [
    "AbortKind",
    "Accepted",
    "AgentDrainRequested",
    "AgentEvent",
    "AgentJoined",
    "AgentLeft",
    "AgentQuarantined",
    "AgentRemoved",
    "AttemptAborted",
    "AttemptSuperseded",
    "BuildBlocked",
    "BuildCancelled",
    "BuildClaimed",
    "BuildEvent",
    "BuildFailed",
    "BuildForgotten",
    "BuildPlanned",
    "BuildQuarantined",
    "BuildQueued",
    "BuildReopened",
    "BuildSatisfied",
    "BuildSplit",
    "BuildSucceeded",
    "BuildUnwanted",
    "BuildWanted",
    "DependencyFailed",
    "Edge",
    "EdgeKind",
    "EnvironmentLocked",
    "EnvironmentUnsolvable",
    "Event",
    "EventBase",
    "Expectation",
    "Failure",
    "FailureKind",
    "FetchFailed",
    "FileEvent",
    "FileRef",
    "Goal",
    "GraphEvent",
    "IndexUpdated",
    "LeaseExpired",
    "LockedFile",
    "MetadataPrepared",
    "PageEvent",
    "PrebuiltAccepted",
    "PrebuiltChosen",
    "ProjectListed",
    "QuarantineLifted",
    "RebuildDiffered",
    "RequirementUnresolvable",
    "RequirementsResolved",
    "Resources",
    "RunCancelRequested",
    "RunEvent",
    "RunFinished",
    "RunForgotten",
    "RunOptions",
    "RunSubmitted",
    "SourceEvent",
    "SourceFetched",
    "SourceForgotten",
    "SourcePrepared",
    "Stage",
    "TargetDefined",
    "TargetEvent",
    "WheelAccepted",
    "WheelBuilt",
    "WheelLost",
    "WheelPublished",
    "WheelTakenOver",
    "WheelWithdrawn",
    "WheelYanked",
]
