"""What people ask a coordinator, and its answers."""

import msgspec

from ..names import BuildId, FileId, IndexName, RunId, Sha256, TargetId
from .agent_messages import Message


class Refusal(Message, frozen=True):
    """The query cannot be answered; the fields are those of the error to raise."""

    what: str
    next_step: str = ""
    exit_code: int = 2


class NotLeading(Message, frozen=True):
    """The coordinator that was reached stands by, and only the leading one can tell: ask again, others take turns."""


class Ping(Message, frozen=True):
    """Is a coordinator up?"""


class Pong(Message, frozen=True):
    """A coordinator answers. http_url: where it serves the index and the outputs; busy: anything under way."""

    version: str
    leading: bool
    http_url: str
    through: int
    busy: bool
    store: str = ""
    ignored: int = 0


class Targets(Message, frozen=True):
    """Which targets are on offer?"""


class TargetList(Message, frozen=True):
    """Targets that alive agents offer, with the sandbox levels and slots of these agents."""

    targets: tuple[TargetId, ...]
    slots: int = 0
    sandboxes: tuple[str, ...] = ()


class BundleAsk(Message, frozen=True):
    """The command line wants to store the inputs of a run."""

    sha256: Sha256
    size: int


class Runs(Message, frozen=True):
    """All runs, newest first."""

    limit: int = 50


class RunRow(msgspec.Struct, frozen=True):
    """One run in a list."""

    run: RunId
    status: str
    submitted_at: float
    finished_at: float
    requirements: tuple[str, ...]
    index: str
    succeeded: int
    failed: int
    open: int
    by: str = ""


class RunList(Message, frozen=True):
    """The runs asked for."""

    runs: tuple[RunRow, ...]


class ProgressAsk(Message, frozen=True):
    """How far is this run? since: sequence up to which its milestones are known."""

    run: RunId
    since: int = 0


class SlotRow(msgspec.Struct, frozen=True):
    """What one slot does: the phase and for how many seconds."""

    agent: str
    node: str
    goal: str
    phase: str
    seconds: float


class WaitRow(msgspec.Struct, frozen=True):
    """A node that waits, and for what, in words."""

    node: str
    reason: str


class WaitGroup(msgspec.Struct, frozen=True):
    """How many nodes wait for the same, and the sentence that says so."""

    nodes: int
    text: str


class FailureRow(msgspec.Struct, frozen=True):
    """A failed node with all that a person needs. chain: who needs it, from the run down."""

    node: str
    target: str
    kind: str
    phase: str
    line: str
    tail: tuple[str, ...] = ()
    hint: str = ""
    chain: tuple[str, ...] = ()
    reproduce: str = ""


class Milestone(msgspec.Struct, frozen=True):
    """Something worth a line in a plain log."""

    sequence: int
    at: float
    text: str


class TargetCounts(msgspec.Struct, frozen=True):
    """Nodes of one target's graph by where they stand."""

    target: TargetId
    built: int = 0
    taken_over: int = 0
    running: int = 0
    waiting: int = 0
    failed: int = 0


class Progress(Message, frozen=True):
    """A run at one moment. remaining: estimated seconds to go, negative where there is no estimate yet.

    troubles: what is being tried again, and why, in words. waiting: the first nodes that no agent is at,
    one by one; waits: all of them, by what they wait for. lacking: a sentence for each target that
    nothing can go on for, since no agent offers it.
    """

    run: RunId
    status: str
    through: int
    counts: tuple[TargetCounts, ...]
    slots: tuple[SlotRow, ...] = ()
    waiting: tuple[WaitRow, ...] = ()
    failures: tuple[FailureRow, ...] = ()
    milestones: tuple[Milestone, ...] = ()
    elapsed: float = 0.0
    remaining: float = -1.0
    index_url: str = ""
    troubles: tuple[str, ...] = ()
    waits: tuple[WaitGroup, ...] = ()
    lacking: tuple[str, ...] = ()


class ExplainAsk(Message, frozen=True):
    """Why does this distribution of a run stand where it stands, and why this version?"""

    run: RunId
    name: str


class WhyAsk(Message, frozen=True):
    """Who needs this distribution in a run?"""

    run: RunId
    name: str


class ShellAsk(Message, frozen=True):
    """What is needed to enter the locked environment of a build, with its source."""

    run: RunId
    name: str


class LogAsk(Message, frozen=True):
    """Which builds of a run made logs for this distribution?"""

    run: RunId
    name: str


class LogRow(msgspec.Struct, frozen=True):
    """One attempt's log: ``url`` where it lies in the store, fence to follow it while it runs."""

    node: str
    goal: str
    build: BuildId
    fence: int
    status: str
    url: str = ""


class LogList(Message, frozen=True):
    """The logs found, oldest first."""

    logs: tuple[LogRow, ...]


class Text(Message, frozen=True):
    """Lines for a person, and the same as data for a machine."""

    lines: tuple[str, ...]
    data: dict[str, object] = msgspec.field(default_factory=dict)


class Agents(Message, frozen=True):
    """All agents."""


class AgentRow(msgspec.Struct, frozen=True):
    """One agent: ``seen`` seconds ago, negative when never since the coordinator started.

    evidence: why it is set aside, or what speaks against it so far. idle: why slots are free, where that is known.
    """

    agent: str
    targets: tuple[str, ...]
    slots: int
    sandbox: str
    status: str
    seen: float
    held: tuple[SlotRow, ...] = ()
    evidence: tuple[str, ...] = ()
    idle: str = ""


class AgentList(Message, frozen=True):
    """The agents known."""

    agents: tuple[AgentRow, ...]


class Collect(Message, frozen=True):
    """Forget old runs, and remove blobs that nothing refers to then.

    older_than: seconds since a run ended. keep: how many of the newest ended runs stay whatever their age.
    """

    dry_run: bool = False
    older_than: float = 30 * 86_400.0
    keep: int = 10


class FileAsk(Message, frozen=True):
    """What does this file name of an index mean now?"""

    index: IndexName
    file_name: str


class FileAnswer(Message, frozen=True):
    """The current revision of a file name. last: sequence of its last event, to append against.

    status: absent, accepted, published or gone. yanked: why installers should not choose it; None: they may.
    """

    file: FileId
    last: int
    status: str
    sha256: str = ""
    yanked: str | None = None


class Idle(Message, frozen=True):
    """For how many seconds has nothing happened?"""


class IdleAnswer(Message, frozen=True):
    """Seconds since the last work ended; 0 while anything is under way."""

    seconds: float
