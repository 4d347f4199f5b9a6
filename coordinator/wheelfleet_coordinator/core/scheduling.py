"""Which build an agent gets: the one place of all scheduling policy.

``choose`` gives the best queued build for one agent; ``refusal`` says in words why an agent may
not have a build, which is what ``explain`` shows.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

import msgspec

from wheelfleet_shared.core.build import Build, Status
from wheelfleet_shared.core.messages import Ask
from wheelfleet_shared.core.run import Agent
from wheelfleet_shared.names import BuildId, TargetId

from .faster import Faster

Elsewhere = tuple[Agent, Ask]
"""Another agent that waits for work, with what it asks."""
Holding = Callable[[str], Collection[Build]]
"""Agent → the builds that it holds, or that were offered to it a moment ago."""

AGES: Final = 3600.0
"""Seconds of waiting in the queue by which a build goes before all that waited less, of any run."""
AGES_ALONE: Final = 600.0
"""The same for one that must be alone on its agent, which others keep from becoming free."""
_NO_SHARES: Final[Mapping[int, int]] = {}
_SANDBOXES: Final = ("none", "standard")
"""Levels of protection, the weakest first."""


class Candidacy(msgspec.Struct, frozen=True):
    """A queued build with what its rank is made of.

    run: of the earliest run that wants it, the sequence of its submission. urgency: expected seconds from
    its start to the end of the longest chain of builds that waits for it. since: sequence at which it was
    queued. age: how often it has waited for so long that it goes first.
    """

    build: Build
    run: int
    urgency: float
    since: int
    age: int = 0


def fitting_target(build: Build, targets: Iterable[TargetId]) -> TargetId | None:
    """The target under which an agent with these targets may build; None where it may not."""
    plan = build.plan
    if plan is None:
        return None
    offered = tuple(targets)
    if plan.goal == "source":
        return plan.host if plan.host in offered else next(iter(offered), None)
    return plan.host if plan.host in offered else None


def refusal(build: Build, agent: Agent, ask: Ask, held: Collection[Build] = ()) -> str:
    """Why this agent may not have this build now; empty when it may. held: the builds that it has already."""
    barred = _barred(build, agent, ask) or _crowded(build, held)
    if not barred and _failed_here(build, agent.id):
        return "aborted this build before; another agent goes first"
    return barred


def _barred(build: Build, agent: Agent, ask: Ask) -> str:
    if agent.draining:
        return "is being drained"
    if agent.quarantined:
        return f"is set aside: {agent.quarantined[0]}"
    if fitting_target(build, ask.targets) is None:
        host = build.plan.host if build.plan else "?"
        return f"does not offer {host} (it offers {', '.join(ask.targets)})"
    return _lacking(build, ask)


def _lacking(build: Build, ask: Ask) -> str:
    """What the settings of the distribution require of an agent, and this one has not."""
    if build.plan is None:
        return ""
    needs = build.plan.needs
    missing = [label for label in needs.labels if label not in ask.labels]
    if missing:
        labels = "labels" if len(missing) > 1 else "label"
        return f"lacks the {labels} {', '.join(missing)} (it has {', '.join(ask.labels) or 'none'})"
    if not _protects(ask.sandbox, needs.sandbox):
        return f"has the sandbox {ask.sandbox}, where {needs.sandbox} is required"
    return ""


def _protects(level: str, wanted: str) -> bool:
    """Whether a level is at least the wanted one; one that is not known is enough for itself alone."""
    if not wanted or level == wanted:
        return True
    return level in _SANDBOXES and wanted in _SANDBOXES[: _SANDBOXES.index(level)]


def is_exclusive(build: Build) -> bool:
    """Whether it must be alone on its agent."""
    return build.plan is not None and build.plan.needs.exclusive


def _crowded(build: Build, held: Collection[Build]) -> str:
    """Why the build may not stand beside those that the agent holds; they go on undisturbed."""
    alone = next((other for other in held if is_exclusive(other)), None)
    if alone is not None:
        return f"builds {_name(alone)}, which must be alone on its agent"
    if held and is_exclusive(build):
        return f"builds {', '.join(sorted(map(_name, held)))}; this build must be alone on its agent"
    return ""


def _name(build: Build) -> str:
    return str(build.plan.node) if build.plan is not None else build.id


def _failed_here(build: Build, agent: str) -> bool:
    """Whether the last attempt was lost on this agent, while the first retry is still due elsewhere."""
    return len(build.aborts) == 1 and build.aborts[-1][0] == agent


def age_of(build: Build, waited: float) -> int:
    """How often a build has waited for so long that it goes before others. waited: seconds in the queue."""
    return max(0, int(waited // (AGES_ALONE if is_exclusive(build) else AGES)))


def rank(candidacy: Candidacy, shares: Mapping[int, int] = _NO_SHARES) -> tuple[int, int, int, float, int]:
    """Lower goes first: what waited for hours; the run with the fewest slots; older runs; then within a run.

    There what the longest chain begins with, and of equals what is queued longest. shares: run → slots that
    it has now.
    """
    run = candidacy.run
    return -candidacy.age, shares.get(run, 0), run, -candidacy.urgency, candidacy.since


def choose(
    candidacies: Iterable[Candidacy],
    agent: Agent,
    ask: Ask,
    others: Collection[Elsewhere] = (),
    holding: Holding = lambda _: (),
    shares: Mapping[int, int] = _NO_SHARES,
    faster: Faster | None = None,
) -> BuildId | None:
    """The best build for this agent, or None."""
    ranked = sorted(candidacies, key=lambda candidacy: rank(candidacy, shares))
    best = first_allowed(ranked, agent, ask, others, holding, faster)
    return best.id if best is not None else None


def first_allowed(
    ranked: Iterable[Candidacy],
    agent: Agent,
    ask: Ask,
    others: Collection[Elsewhere] = (),
    holding: Holding = lambda _: (),
    faster: Faster | None = None,
) -> Build | None:
    """The first build, best first, that this agent may have now.

    others: who waits for work too; the agent's own asks among them do not count. A build that was
    aborted here comes back at once where none of them may have it. One that must be alone comes after
    all others of its run, but while it waits for the agent to be free, no younger run gets a build here.
    What a faster agent would end earlier is left to it, but for those, since it may never be empty.
    """
    held, until = holding(agent.id), None
    for candidacy in ranked:
        build = candidacy.build
        if build.status is not Status.QUEUED or _barred(build, agent, ask):
            continue
        if until is not None and candidacy.run > until:
            continue
        if _crowded(build, held):
            until = candidacy.run if until is None and is_exclusive(build) else until
            continue
        if _failed_here(build, agent.id) and _another_may(build, agent, others, holding):
            continue
        if faster is None or is_exclusive(build) or not faster.take(build):
            return build
    return None


def _another_may(build: Build, agent: Agent, others: Collection[Elsewhere], holding: Holding) -> bool:
    waiting = ((other, ask) for other, ask in others if other.id != agent.id)
    return any(not refusal(build, other, ask, holding(other.id)) for other, ask in waiting)
