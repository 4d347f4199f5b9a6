"""Every request between agents, coordinators and the command line, and its answer.

Requests of agents go to ``a.<what>.<actor>``, those of people to ``q.<what>.<actor>``; the actor is
read from the subject. Nothing here is truth: an answer only spares the asker a look into the log.
"""

import msgspec

from .agent_messages import (
    Ask,
    ClaimAnswer,
    ClaimAsk,
    Download,
    Heartbeat,
    HeartbeatAnswer,
    HeldBuild,
    Message,
    NoOffer,
    NotCurrent,
    Offer,
    Renew,
    Renewed,
    Start,
    UploadAsk,
    UploadGrant,
    Work,
)
from .query_messages import (
    AgentList,
    AgentRow,
    Agents,
    BundleAsk,
    Collect,
    ExplainAsk,
    FailureRow,
    FileAnswer,
    FileAsk,
    Idle,
    IdleAnswer,
    LogAsk,
    LogList,
    LogRow,
    Milestone,
    NotLeading,
    Ping,
    Pong,
    Progress,
    ProgressAsk,
    Refusal,
    RunList,
    RunRow,
    Runs,
    ShellAsk,
    SlotRow,
    TargetCounts,
    TargetList,
    Targets,
    Text,
    WaitGroup,
    WaitRow,
    WhyAsk,
)

AgentRequest = Ask | Start | UploadAsk | Heartbeat | ClaimAsk | Renew

AgentAnswer = Offer | NoOffer | Work | NotCurrent | UploadGrant | HeartbeatAnswer | ClaimAnswer | Renewed

Query = (
    Ping
    | Renew
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
    | FileAsk
)

QueryAnswer = (
    Refusal
    | NotLeading
    | Pong
    | Renewed
    | TargetList
    | UploadGrant
    | RunList
    | Progress
    | LogList
    | Text
    | AgentList
    | Work
    | IdleAnswer
    | FileAnswer
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


__all__ = [
    "AgentAnswer",
    "AgentList",
    "AgentRequest",
    "AgentRow",
    "Agents",
    "Ask",
    "BundleAsk",
    "ClaimAnswer",
    "ClaimAsk",
    "Collect",
    "Download",
    "ExplainAsk",
    "FailureRow",
    "FileAnswer",
    "FileAsk",
    "Heartbeat",
    "HeartbeatAnswer",
    "HeldBuild",
    "Idle",
    "IdleAnswer",
    "LogAsk",
    "LogList",
    "LogRow",
    "Message",
    "Milestone",
    "NoOffer",
    "NotCurrent",
    "NotLeading",
    "Offer",
    "Ping",
    "Pong",
    "Progress",
    "ProgressAsk",
    "Query",
    "QueryAnswer",
    "Refusal",
    "Renew",
    "Renewed",
    "RunList",
    "RunRow",
    "Runs",
    "ShellAsk",
    "SlotRow",
    "Start",
    "TargetCounts",
    "TargetList",
    "Targets",
    "Text",
    "UploadAsk",
    "UploadGrant",
    "WaitGroup",
    "WaitRow",
    "WhyAsk",
    "Work",
    "decode_agent_answer",
    "decode_agent_request",
    "decode_query",
    "decode_query_answer",
    "encode_message",
]
