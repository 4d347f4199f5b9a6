"""Every request between agents, coordinators and the command line, and its answer.

Requests of agents go to ``a.<what>.<actor>``, those of people to ``q.<what>.<actor>``; the actor is
read from the subject. Nothing here is truth: an answer only spares the asker a look into the log.
"""

from typing import Literal

import msgspec

from ..names import BuildId, RunId, Sha256, TargetId
from . import events as e


class Message(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag=True):
    """What all requests and answers share."""


# --- agent → coordinator ----------------------------------------------------------------------------


class Ask(Message, frozen=True):
    """An agent has a free slot. memory, disk: bytes free now. wait: seconds the answer may be held back."""

    incarnation: str
    targets: tuple[TargetId, ...]
    memory: int
    disk: int
    labels: tuple[str, ...] = ()
    sandbox: str = "none"
    wait: float = 30.0


class Offer(Message, frozen=True):
    """The best build for this agent now. last: the aggregate's sequence, to claim against."""

    build: BuildId
    last: int
    attempt: int
    target: TargetId


class NoOffer(Message, frozen=True):
    """Nothing to build for this agent; ask again. target_unknown: define these targets first."""

    undefined: tuple[TargetId, ...] = ()
    draining: bool = False


class Start(Message, frozen=True):
    """An agent has appended its claim and asks what to do."""

    build: BuildId
    fence: int


class Download(msgspec.Struct, frozen=True):
    """A file to fetch; the URL is signed and expires."""

    file: e.FileRef
    url: str
    name: str = ""
    version: str = ""


class Work(Message, frozen=True):
    """All that one attempt needs. requirements: the hook's answer where it is known, else None.

    sdist: the upstream archive (goal source) or the patched sdist. static: the environment holds
    the static requirements alone. epoch: SOURCE_DATE_EPOCH. patches: name and text, in order.
    requirement_files: file name → lines, recorded in the wheel.
    """

    build: BuildId
    fence: int
    plan: e.BuildPlanned
    target: TargetId
    sdist: Download
    environment: tuple[Download, ...] = ()
    static: bool = True
    requirements: tuple[str, ...] | None = None
    epoch: int = 0
    cores: int = 1
    static_requirements: tuple[str, ...] = ()
    requirement_files: dict[str, tuple[str, ...]] = {}
    timeout_total: float = 36_000.0
    timeout_silent: float = 3_600.0


class NotCurrent(Message, frozen=True):
    """The fence is not (or not yet) the build's: stop, nothing to do. pending: ask again soon."""

    pending: bool = False


class UploadAsk(Message, frozen=True):
    """The owner of a build wants to store one file of its result."""

    build: BuildId
    fence: int
    file: e.FileRef
    kind: Literal["wheel", "sdist", "log"]


class UploadGrant(Message, frozen=True):
    """Where to PUT exactly this content; ``stored`` when it is there already."""

    url: str = ""
    headers: dict[str, str] = {}
    stored: bool = False


class HeldBuild(msgspec.Struct, frozen=True):
    """A build that an agent holds now; ``since``: seconds in the phase."""

    build: BuildId
    fence: int
    phase: str
    since: float = 0.0


class Heartbeat(Message, frozen=True):
    """An agent is alive and holds these builds."""

    incarnation: str
    held: tuple[HeldBuild, ...] = ()
    memory: int = 0
    disk: int = 0


class HeartbeatAnswer(Message, frozen=True):
    """The coordinator heard it. stop: fences that are not current any more. draining: ask no more."""

    stop: tuple[int, ...] = ()
    draining: bool = False


class ClaimAsk(Message, frozen=True):
    """An agent met a Conflict on a build that it holds."""

    build: BuildId
    fence: int


class ClaimAnswer(Message, frozen=True):
    """Whether the fence is current, and the aggregate's last sequence to append against."""

    current: bool
    last: int


AgentRequest = Ask | Start | UploadAsk | Heartbeat | ClaimAsk
AgentAnswer = Offer | NoOffer | Work | NotCurrent | UploadGrant | HeartbeatAnswer | ClaimAnswer


# --- command line → coordinator -----------------------------------------------------------------------


class Refusal(Message, frozen=True):
    """The query cannot be answered; the fields are those of the error to raise."""

    what: str
    next_step: str = ""
    exit_code: int = 2


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
    """A run at one moment. remaining: estimated seconds to go, negative where there is no estimate yet."""

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
    data: dict[str, object] = {}


class Agents(Message, frozen=True):
    """All agents."""


class AgentRow(msgspec.Struct, frozen=True):
    """One agent: ``seen`` seconds ago, negative when never since the coordinator started."""

    agent: str
    targets: tuple[str, ...]
    slots: int
    sandbox: str
    status: str
    seen: float
    held: tuple[SlotRow, ...] = ()


class AgentList(Message, frozen=True):
    """The agents known."""

    agents: tuple[AgentRow, ...]


class Collect(Message, frozen=True):
    """Remove blobs that nothing refers to."""

    dry_run: bool = False


class Idle(Message, frozen=True):
    """For how many seconds has nothing happened?"""


class IdleAnswer(Message, frozen=True):
    """Seconds since the last work ended; 0 while anything is under way."""

    seconds: float


Query = (
    Ping
    | Targets
    | BundleAsk
    | Runs
    | ProgressAsk
    | ExplainAsk
    | WhyAsk
    | ShellAsk
    | LogAsk
    | Agents
    | Collect
    | Idle
)
QueryAnswer = (
    Refusal | Pong | TargetList | UploadGrant | RunList | Progress | LogList | Text | AgentList | Work | IdleAnswer
)

_agent_requests: msgspec.json.Decoder[AgentRequest] = msgspec.json.Decoder(AgentRequest)
_agent_answers: msgspec.json.Decoder[AgentAnswer | Refusal] = msgspec.json.Decoder(AgentAnswer | Refusal)
_queries: msgspec.json.Decoder[Query] = msgspec.json.Decoder(Query)
_query_answers: msgspec.json.Decoder[QueryAnswer] = msgspec.json.Decoder(QueryAnswer)


def encode_message(message: Message) -> bytes:
    """JSON of a request or an answer."""
    return msgspec.json.encode(message)


def decode_agent_request(data: bytes) -> AgentRequest:
    """Raises msgspec.ValidationError for anything else."""
    return _agent_requests.decode(data)


def decode_agent_answer(data: bytes) -> AgentAnswer | Refusal:
    """Raises msgspec.ValidationError for anything else."""
    return _agent_answers.decode(data)


def decode_query(data: bytes) -> Query:
    """Raises msgspec.ValidationError for anything else."""
    return _queries.decode(data)


def decode_query_answer(data: bytes) -> QueryAnswer:
    """Raises msgspec.ValidationError for anything else."""
    return _query_answers.decode(data)
