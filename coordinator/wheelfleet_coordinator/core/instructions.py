"""What the walk wants done next: imperatives that the application carries out.

Equal instructions are the same work, so the application can tell what is under way already.
"""

from typing import Literal, NamedTuple

from wheelfleet_shared.core import events as e
from wheelfleet_shared.names import BuildId, FileId, GraphId, NodeKey, RunId, SourceId


class Fetch(NamedTuple):
    """Bring an upstream file into our store."""

    source: SourceId
    url: str
    file_name: str
    promised: str


class Resolve(NamedTuple):
    """Choose versions for one stage of one node."""

    graph: GraphId
    node: NodeKey | None
    stage: e.Stage
    extras: tuple[str, ...]
    requirements: tuple[str, ...]


class FallBack(NamedTuple):
    """Look for upstream's wheel of a node that could not be built."""

    graph: GraphId
    node: NodeKey


class Plan(NamedTuple):
    """Name a build, or want it for one more run, or re-open it for that run."""

    build: BuildId
    plan: e.BuildPlanned
    run: RunId


class TakeOver(NamedTuple):
    """Look for the wheel on the cache servers of a run before anything of it is built."""

    build: BuildId
    plan: e.BuildPlanned
    run: RunId


class AcceptPrebuilt(NamedTuple):
    """Publish a wheel that the user marked as built elsewhere; it lies in our store as a source."""

    build: BuildId
    plan: e.BuildPlanned
    run: RunId


class Satisfy(NamedTuple):
    """End a build by a wheel of our index that another target's build made."""

    build: BuildId
    plan: e.BuildPlanned
    run: RunId
    file: FileId


class Refuse(NamedTuple):
    """A build must not start: its file name is held by a wheel that was made from other inputs."""

    build: BuildId
    plan: e.BuildPlanned
    run: RunId
    file: FileId


class Lock(NamedTuple):
    """Fix the environment of a build from one graph; everything it can need is published."""

    build: BuildId
    graph: GraphId
    node: NodeKey


class Queue(NamedTuple):
    """Let agents claim the build."""

    build: BuildId


class Retry(NamedTuple):
    """Queue an aborted build again after a while, or set it aside; ``aborts`` tells retries apart."""

    build: BuildId
    aborts: int


class Verify(NamedTuple):
    """Check what an agent uploaded, and publish it."""

    build: BuildId
    fence: int


class GiveUp(NamedTuple):
    """A build cannot start in a run's graph: something that it needs failed, or needs it in turn."""

    build: BuildId
    run: RunId
    reason: Literal["dependency", "cycle"]
    chain: tuple[str, ...]


class Abandon(NamedTuple):
    """A run does not want a build any more."""

    build: BuildId
    run: RunId


class Finish(NamedTuple):
    """Nothing is left to do in a run."""

    run: RunId
    outcome: Literal["succeeded", "failed", "cancelled"]
    succeeded: int
    failed: int


Instruction = (
    Fetch
    | Resolve
    | FallBack
    | TakeOver
    | AcceptPrebuilt
    | Satisfy
    | Refuse
    | Plan
    | Lock
    | Queue
    | Retry
    | Verify
    | GiveUp
    | Abandon
    | Finish
)
