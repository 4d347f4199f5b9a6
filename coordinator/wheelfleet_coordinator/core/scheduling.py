"""Which build an agent gets: the one place of all scheduling policy.

``choose`` gives the best queued build for one agent; ``refusal`` says in words why an agent may
not have a build, which is what ``explain`` shows.
"""

from collections.abc import Collection, Iterable

import msgspec

from wheelfleet_shared.core.build import Build, Status
from wheelfleet_shared.core.messages import Ask
from wheelfleet_shared.core.run import Agent
from wheelfleet_shared.names import BuildId, TargetId

Elsewhere = tuple[Agent, Ask]
"""Another agent that waits for work, with what it asks."""


class Candidacy(msgspec.Struct, frozen=True):
    """A queued build with what its rank is made of.

    run: position of the earliest run that wants it. waiting: nodes that wait for it before all
    else. since: sequence at which it was queued.
    """

    build: Build
    run: int
    waiting: int
    since: int


def fitting_target(build: Build, targets: Iterable[TargetId]) -> TargetId | None:
    """The target under which an agent with these targets may build; None where it may not."""
    plan = build.plan
    if plan is None:
        return None
    offered = tuple(targets)
    if plan.goal == "source":
        return plan.host if plan.host in offered else next(iter(offered), None)
    return plan.host if plan.host in offered else None


def refusal(build: Build, agent: Agent, ask: Ask) -> str:
    """Why this agent may not have this build now; empty when it may."""
    if _failed_here(build, agent.id):
        return _barred(build, agent, ask) or "aborted this build before; another agent goes first"
    return _barred(build, agent, ask)


def _barred(build: Build, agent: Agent, ask: Ask) -> str:
    if agent.draining:
        return "is being drained"
    if agent.quarantined:
        return f"is set aside: {agent.quarantined[0]}"
    if fitting_target(build, ask.targets) is None:
        host = build.plan.host if build.plan else "?"
        return f"does not offer {host} (it offers {', '.join(ask.targets)})"
    return ""


def _failed_here(build: Build, agent: str) -> bool:
    """Whether the last attempt was lost on this agent, while the first retry is still due elsewhere."""
    return len(build.aborts) == 1 and build.aborts[-1][0] == agent


def rank(candidacy: Candidacy) -> tuple[int, int, int, int]:
    """Lower goes first: older runs; sources, since they uncover work; what most nodes wait for; the oldest."""
    plan = candidacy.build.plan
    uncovers = 0 if plan is not None and plan.goal == "source" else 1
    return candidacy.run, uncovers, -candidacy.waiting, candidacy.since


def choose(
    candidacies: Iterable[Candidacy], agent: Agent, ask: Ask, others: Collection[Elsewhere] = ()
) -> BuildId | None:
    """The best build for this agent, or None."""
    best = first_allowed(sorted(candidacies, key=rank), agent, ask, others)
    return best.id if best is not None else None


def first_allowed(
    ranked: Iterable[Candidacy], agent: Agent, ask: Ask, others: Collection[Elsewhere] = ()
) -> Build | None:
    """The first build, best first, that this agent may have now.

    others: who waits for work too; the agent's own asks among them do not count. A build that was
    aborted here comes back at once where none of them may have it.
    """
    for candidacy in ranked:
        build = candidacy.build
        if build.status is not Status.QUEUED or _barred(build, agent, ask):
            continue
        if not _failed_here(build, agent.id) or not _another_may(build, agent, others):
            return build
    return None


def _another_may(build: Build, agent: Agent, others: Collection[Elsewhere]) -> bool:
    return any(other.id != agent.id and not refusal(build, other, ask) for other, ask in others)
