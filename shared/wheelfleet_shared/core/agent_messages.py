"""What agents ask a coordinator, and its answers."""

from typing import Literal

import msgspec

from ..names import BuildId, TargetId
from . import events as e


class Message(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag=True):
    """What all requests and answers share."""


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
    """The best build for this agent now. last: the aggregate's sequence, to claim against.

    alone: nothing else may be built on the agent meanwhile.
    """

    build: BuildId
    last: int
    attempt: int
    target: TargetId
    alone: bool = False


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
    the static requirements alone. epoch: SOURCE_DATE_EPOCH. requirement_files: file name → lines,
    recorded in the wheel. preparation, recipe: what settings and patches say to the source and to the
    build; None where they say nothing. hooks: what is called once the wheel is there.
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
    preparation: Download | None = None
    recipe: Download | None = None
    hooks: Download | None = None
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


class Renew(Message, frozen=True):
    """Somebody, agent or not, wants its credential to last longer: ``jwt`` is the token that it has."""

    jwt: str


class Renewed(Message, frozen=True):
    """The same token, which lasts as long again from now."""

    jwt: str


class ClaimAsk(Message, frozen=True):
    """An agent met a Conflict on a build that it holds. wheel: what it made, where it wants to report that."""

    build: BuildId
    fence: int
    wheel: e.FileRef | None = None


class ClaimAnswer(Message, frozen=True):
    """Whether the fence is current, and the aggregate's last sequence to append against."""

    current: bool
    last: int
