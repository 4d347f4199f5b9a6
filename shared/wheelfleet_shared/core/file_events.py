"""Events of published files and index pages, of agents and targets."""

from ..names import BuildId, BuildKey, IndexName, NodeKey, Sha256, TargetId
from .event_base import EventBase, FileRef
from .targets import TargetDefinition


class WheelAccepted(EventBase, frozen=True):
    """The commit point: from now on this file name means these bytes.

    payload: digest of what the wheel installs, as its builder tells it.
    """

    index: IndexName
    build: BuildId
    key: BuildKey
    node: NodeKey
    file: FileRef
    metadata_sha256: Sha256
    requires_dist: tuple[str, ...] = ()
    requires_python: str = ""
    provides_extra: tuple[str, ...] = ()
    payload: str = ""


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


class PrebuiltAccepted(EventBase, frozen=True):
    """A wheel that the user marked as built elsewhere serves under this file name. origin: URL without credentials."""

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


Accepted = WheelAccepted | WheelTakenOver | PrebuiltAccepted
"""What makes a file name mean certain bytes, from then on."""


class WheelPublished(EventBase, frozen=True):
    """Blob and metadata are in place: builds may use the wheel. The time of this event is its upload time."""


class RebuildDiffered(EventBase, frozen=True):
    """A build made other bytes for a file name that is taken.

    reproduced: they install the same; only the container differs, and the published bytes stay.
    """

    build: BuildId
    wheel: FileRef
    reproduced: bool = False


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


class AgentRemoved(EventBase, frozen=True):
    """Nothing is kept of the agent; one that joins under this name later is a new one."""


class AgentLeft(EventBase, frozen=True):
    """The agent's process ended in good order."""

    incarnation: str


class TargetDefined(EventBase, frozen=True):
    """The first agent that offers a target fixes what it means."""

    definition: TargetDefinition
