"""One plain example of every event, and the states that builds and files can be in."""

import msgspec

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.envelope import Aggregate, Envelope, Recorded
from wheelfleet_shared.core.targets import TargetDefinition
from wheelfleet_shared.names import Actor, BuildId, BuildKey, IndexName, NodeKey, RunId, Sha256, TargetId

RUN, TARGET, BUILD, KEY = RunId("r1"), TargetId("cp311-linux_x86_64"), BuildId("b1"), BuildKey("k1")
NODE, INDEX = NodeKey("pbr", "7.1.3"), IndexName("main", "cpu")
SHA = Sha256("ab" * 32)
SDIST = e.FileRef("pbr-7.1.3.tar.gz", SHA, 4321)
WHEEL = e.FileRef("pbr-7.1.3-0-py3-none-any.whl", SHA, 1234)
FAILURE = e.Failure("backend", "build_wheel", "gcc: not found", ("a", "b"), "install a compiler")
EDGE = e.Edge("install", "pbr[x]>=2; os_name == 'posix'", NODE, "sim://pbr", SDIST.file_name, SHA, why="newest")
FENCE = 7
DEFINITION = TargetDefinition(
    TARGET, "cpython", "3.11", "cp311", "x86_64", "glibc", "2.36", {"os_name": "posix"}, ("py3-none-any",)
)
ACCEPTED = e.WheelAccepted(INDEX, BUILD, KEY, NODE, WHEEL, SHA, ("wheel",), ">=3.8", ("x",))

SAMPLES: tuple[e.Event, ...] = (
    e.RunSubmitted(RUN, INDEX, (TARGET,), ("pbr",), e.RunOptions(as_of=1.5, hashes={"pbr": (SHA,)}), SHA),
    e.ProjectListed("pbr", SHA, "application/json", "sim://simple/pbr/", upload_times=True),
    e.RunCancelRequested("on a whim"),
    e.RunFinished("failed", 3, 1),
    e.RunForgotten(),
    e.RequirementsResolved(RUN, TARGET, NODE, "install", (EDGE,), ("x",)),
    e.RequirementUnresolvable(RUN, TARGET, None, "toplevel", "pbr>99", "no such version", "ask for less"),
    e.PrebuiltChosen(RUN, TARGET, NODE, EDGE),
    e.SourceFetched("sim://pbr", SDIST, SHA),
    e.FetchFailed("sim://pbr", "gone", "mirror it"),
    e.SourceForgotten(),
    e.BuildPlanned("wheel", KEY, INDEX, NODE, TARGET, TARGET, SDIST, "sim://pbr", "pure", "3"),
    e.BuildWanted(RUN),
    e.BuildUnwanted(RUN),
    e.EnvironmentLocked(2, (e.LockedFile("wheel", "1.0", WHEEL),), "digest", static=True),
    e.EnvironmentUnsolvable("a against b", "constrain a"),
    e.BuildQueued(),
    e.BuildClaimed(1, "i1", TARGET, emulated=True),
    e.BuildBlocked(FENCE, ("cython",)),
    e.SourcePrepared(FENCE, SDIST, 1_600_000_000, ("setuptools",), "setuptools.build_meta"),
    e.MetadataPrepared(FENCE, ("wheel",), ">=3.8", ("x",), ("cython",), e.Resources(1.0, 0.5, 1024, 2)),
    e.WheelBuilt(FENCE, WHEEL, "payload", ("cython",), "gcc 12", "bubblewrap", e.Resources(wall=2.0)),
    e.BuildSucceeded(),
    e.BuildFailed(FAILURE, FENCE),
    e.AttemptAborted(FENCE, "disk_full", "no space left"),
    e.LeaseExpired(FENCE, "agent-a1", "silent for 61 s"),
    e.AttemptSuperseded(FENCE, WHEEL, equal=False),
    e.BuildSatisfied(WHEEL, BuildId("b2")),
    e.BuildSplit(("cp311-cp311-linux_x86_64",)),
    e.BuildQuarantined(("agent-a1: lost",)),
    e.QuarantineLifted(),
    e.BuildReopened("wanted", RUN),
    e.BuildCancelled(),
    e.DependencyFailed(("pbr==7.1.3", "setuptools==1.0")),
    e.BuildForgotten(),
    ACCEPTED,
    e.WheelTakenOver(INDEX, BUILD, KEY, NODE, WHEEL, SHA, "sim://cache"),
    e.PrebuiltAccepted(INDEX, BUILD, KEY, NODE, WHEEL, SHA, "sim://elsewhere"),
    e.WheelPublished(),
    e.RebuildDiffered(BUILD, WHEEL),
    e.WheelWithdrawn("broken"),
    e.WheelLost("the store lost it"),
    e.WheelYanked("use 7.2"),
    e.IndexUpdated(INDEX, "pbr", SHA, SHA, 1, 42),
    e.AgentJoined("i1", (TARGET,), 2, ("big",), 1, 2, "bubblewrap", "gcc 12", "host", "0.1"),
    e.AgentDrainRequested(drain=False),
    e.AgentQuarantined(("all fails here",)),
    e.AgentRemoved(),
    e.AgentLeft("i1"),
    e.TargetDefined(DEFINITION),
)
BY_KIND: dict[type, e.Event] = {type(event): event for event in SAMPLES}


def record(
    event: object, actor: str = "coordinator-main", *, sequence: int = 1, kind: str = "build", key: str = BUILD
) -> Recorded:
    """The event as the log would give it; at 1000 s plus its sequence."""
    envelope = Envelope(f"e{sequence}", 1000.0 + sequence, event)  # type: ignore[arg-type]
    return Recorded(sequence, Aggregate(kind, key), Actor(actor), envelope)


def sample(kind: type, **changes: object) -> e.Event:
    """The example of that event with other fields."""
    return msgspec.structs.replace(BY_KIND[kind], **changes)
