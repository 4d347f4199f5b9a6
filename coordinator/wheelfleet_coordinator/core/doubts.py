"""What speaks against an agent: builds that it could not carry through, and others could."""

from collections.abc import Collection
from typing import Final

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.build import Build
from wheelfleet_shared.core.run import Agent
from wheelfleet_shared.names import BuildId

ENOUGH: Final = 3
"""Builds in a row, aborted by an agent and made by others, after which it is set aside."""
_NOBODYS_FAULT: Final = frozenset({"shutdown", "cancelled"})


class Doubts:
    """A mutable projection, agent → builds in a row that it aborted and another agent completed."""

    def __init__(self) -> None:
        self._against: dict[str, dict[BuildId, str]] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Doubts) and self._against == other._against

    __hash__ = None  # type: ignore[assignment]

    def note_success(self, build: Build) -> None:
        """A build ended well: that clears who made it, and speaks against those who had aborted it."""
        maker = build.tried_by
        if self._against:
            self._against.pop(maker, None)
        node = build.plan.node if build.plan is not None else build.id
        for agent, kind, detail in build.aborts:
            if agent != maker and kind not in _NOBODYS_FAULT:
                told = f"{node}: {kind} {detail}".rstrip()
                self._against.setdefault(agent, {})[build.id] = f"{told}; {maker} made it"

    def clear(self, agent: str) -> None:
        """A person looked: what was is forgotten."""
        self._against.pop(agent, None)

    def against(self, agent: str) -> tuple[str, ...]:
        """A sentence for each build, the oldest first."""
        return tuple(self._against.get(agent, {}).values())

    def suspects(self) -> tuple[str, ...]:
        """Agents against which enough speaks."""
        return tuple(agent for agent, builds in self._against.items() if len(builds) >= ENOUGH)


def set_aside(doubts: Doubts, agent: Agent, others: Collection[Agent]) -> tuple[e.Event, ...]:
    """Give an agent no more builds, if enough speaks against it and another one offers all that it does.

    others: agents that are alive. What only this agent can build it goes on building.
    """
    evidence = doubts.against(agent.id)
    if len(evidence) < ENOUGH or agent.quarantined or agent.joined is None:
        return ()
    offered = set(agent.joined.targets)
    spared = any(
        other.joined is not None and offered <= set(other.joined.targets)
        for other in others
        if other.id != agent.id and not (other.quarantined or other.draining or other.left)
    )
    return (e.AgentQuarantined(evidence),) if spared else ()
