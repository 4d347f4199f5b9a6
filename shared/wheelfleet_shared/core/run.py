"""The aggregates of runs, source files, agents, targets and pages: small folds of one subject each."""

from typing import Literal

import msgspec
from msgspec.structs import replace

from ..names import RunId, SourceId, TargetId
from . import events as e
from .envelope import Recorded
from .roles import kinds_of
from .targets import TargetDefinition


class Run(msgspec.Struct, frozen=True):
    """The folded state of one run. listed: project → the pinned page.

    forgotten: it is known that there was such a run, and nothing else.
    """

    id: RunId
    submitted: e.RunSubmitted | None = None
    submitted_at: float = 0.0
    submitted_by: str = ""
    listed: dict[str, e.ProjectListed] = {}
    cancel: e.RunCancelRequested | None = None
    finished: e.RunFinished | None = None
    finished_at: float = 0.0
    forgotten: bool = False
    last: int = 0
    ignored: int = 0

    @property
    def status(self) -> Literal["absent", "active", "cancelling", "succeeded", "failed", "cancelled"]:
        """Where the run stands."""
        if self.submitted is None:
            return "absent"
        if self.finished is not None:
            return self.finished.outcome
        return "cancelling" if self.cancel is not None else "active"


def evolve_run(run: Run, recorded: Recorded) -> Run:
    """The run after one more event; total."""
    event = recorded.envelope.event
    if type(event) not in kinds_of(recorded.actor):
        return replace(run, ignored=run.ignored + 1, last=recorded.sequence)
    if isinstance(event, e.ProjectListed) and run.submitted is not None and event.project not in run.listed:
        # The one mutable spot: a copy a page would be quadratic in runs of thousands of projects.
        run.listed[event.project] = event
        return replace(run, last=recorded.sequence)
    changes: dict[str, object]
    match event:
        case e.RunSubmitted() if run.submitted is None and event.run == run.id and not run.forgotten:
            changes = {"submitted": event, "submitted_at": recorded.envelope.at, "submitted_by": recorded.actor}
        case e.RunCancelRequested() if run.submitted is not None and run.finished is None:
            changes = {"cancel": run.cancel or event}
        case e.RunFinished() if run.submitted is not None and run.finished is None:
            changes = {"finished": event, "finished_at": recorded.envelope.at}
        case e.RunForgotten() if run.finished is not None:
            return Run(run.id, listed={}, forgotten=True, last=recorded.sequence, ignored=run.ignored)
        case _:
            changes = {"ignored": run.ignored + 1}
    return replace(run, last=recorded.sequence, **changes)


def new_run(run: RunId) -> Run:
    """A run of which nothing is known."""
    return Run(run, listed={})


class SourceFile(msgspec.Struct, frozen=True, gc=False):
    """An upstream file: fetched into our store, or failed; a later success overrides a failure.

    ``fetched`` is None again once the file is forgotten.
    """

    id: SourceId
    fetched: e.SourceFetched | None = None
    failed: e.FetchFailed | None = None
    last: int = 0
    ignored: int = 0


def evolve_source(source: SourceFile, recorded: Recorded) -> SourceFile:
    """The source file after one more event; total."""
    event = recorded.envelope.event
    forgets = isinstance(event, e.SourceForgotten)
    if type(event) not in kinds_of(recorded.actor) or forgets is (source.fetched is None):
        return replace(source, ignored=source.ignored + 1, last=recorded.sequence)
    match event:
        case e.SourceFetched():
            return replace(source, fetched=event, failed=None, last=recorded.sequence)
        case e.FetchFailed():
            return replace(source, failed=event, last=recorded.sequence)
        case e.SourceForgotten():
            return replace(source, fetched=None, last=recorded.sequence)
        case _:
            return replace(source, ignored=source.ignored + 1, last=recorded.sequence)


class Agent(msgspec.Struct, frozen=True):
    """An agent as the log knows it; whether it is alive now is no event."""

    id: str
    joined: e.AgentJoined | None = None
    joined_at: float = 0.0
    left: bool = False
    draining: bool = False
    quarantined: tuple[str, ...] = ()
    last: int = 0
    ignored: int = 0


def evolve_agent(agent: Agent, recorded: Recorded) -> Agent:
    """The agent after one more event; total. An agent speaks for itself only."""
    event = recorded.envelope.event
    own = recorded.role != "agent" or recorded.actor == agent.id
    if not own or type(event) not in kinds_of(recorded.actor):
        return replace(agent, ignored=agent.ignored + 1, last=recorded.sequence)
    changes: dict[str, object]
    match event:
        case e.AgentJoined():
            changes = {"joined": event, "joined_at": recorded.envelope.at, "left": False}
        case e.AgentDrainRequested(drain=drain):
            changes = {"draining": drain}
        case e.AgentQuarantined(evidence=evidence):
            changes = {"quarantined": evidence}
        case e.QuarantineLifted() if agent.quarantined:
            changes = {"quarantined": ()}
        case e.AgentLeft(incarnation=incarnation) if agent.joined and agent.joined.incarnation == incarnation:
            changes = {"left": True}
        case e.AgentRemoved() if agent.joined is not None:
            return Agent(agent.id, ignored=agent.ignored, last=recorded.sequence)
        case _:
            changes = {"ignored": agent.ignored + 1}
    return replace(agent, last=recorded.sequence, **changes)


class Target(msgspec.Struct, frozen=True):
    """A target; the first definition holds."""

    id: TargetId
    definition: TargetDefinition | None = None
    last: int = 0
    ignored: int = 0


def evolve_target(target: Target, recorded: Recorded) -> Target:
    """The target after one more event; total."""
    event = recorded.envelope.event
    if isinstance(event, e.TargetDefined) and target.definition is None and type(event) in kinds_of(recorded.actor):
        return replace(target, definition=event.definition, last=recorded.sequence)
    return replace(target, ignored=target.ignored + 1, last=recorded.sequence)


class Page(msgspec.Struct, frozen=True, gc=False):
    """A project's pages in one index, as last written."""

    id: str
    updated: e.IndexUpdated | None = None
    last: int = 0
    ignored: int = 0


def evolve_page(page: Page, recorded: Recorded) -> Page:
    """The page after one more event; total."""
    event = recorded.envelope.event
    if isinstance(event, e.IndexUpdated) and type(event) in kinds_of(recorded.actor):
        return replace(page, updated=event, last=recorded.sequence)
    return replace(page, ignored=page.ignored + 1, last=recorded.sequence)
