"""What the commands do that take agents out of service and back."""

import asyncio
from collections.abc import Iterable
from fnmatch import fnmatchcase

import typer

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core import messages as m
from wheelfleet_shared.core.envelope import Aggregate
from wheelfleet_shared.errors import InfrastructureError, InputError

from ..core.run_rows import ALIVE_WITHIN
from .connection import Link, linked
from .settings import Settings

_WHO = "`wheelfleet agents` lists them"


def matching(agents: Iterable[m.AgentRow], pattern: str) -> list[m.AgentRow]:
    """The agents whose names match, with or without ``agent-``; raises InputError where none does."""
    rows = [row for row in agents if any(fnmatchcase(name, pattern) for name in (row.agent, _short(row.agent)))]
    if not rows:
        raise InputError(f"no agent matches {pattern}", _WHO)
    return rows


def _short(agent: str) -> str:
    return agent.removeprefix("agent-")


def set_draining(settings: Settings, pattern: str, *, drain: bool) -> None:
    """The matching agents are drained, or are not any more; raises InputError where none matches."""

    async def work() -> list[tuple[m.AgentRow, bool]]:
        async with linked(settings) as link:
            found = await link.ask(m.Agents(), m.AgentList)
            return [(row, await _drained(link, row, drain=drain)) for row in matching(found.agents, pattern)]

    for row, changed in asyncio.run(work()):
        typer.echo(_told(row, drain=drain, changed=changed))


async def _drained(link: Link, row: m.AgentRow, *, drain: bool) -> bool:
    """Whether that changed anything."""
    aggregate = Aggregate("agent", row.agent)
    history = await link.log.read_aggregate(aggregate)
    if is_drained(recorded.event for recorded in history) is drain:
        return False
    await _append(link, aggregate, history[-1].sequence, e.AgentDrainRequested(drain))
    return True


def is_drained(history: Iterable[object]) -> bool:
    """Whether an agent with these events is drained."""
    drained = False
    for event in history:
        match event:
            case e.AgentDrainRequested(drain=drain):
                drained = drain
            case e.AgentRemoved():
                drained = False
    return drained


def _told(row: m.AgentRow, *, drain: bool, changed: bool) -> str:
    if not drain:
        return f"{row.agent} gets builds again" if changed else f"{row.agent} was not drained"
    if not row.held:
        state = "it has none now" if changed else "it was drained before"
    else:
        state = f"it is still at {', '.join(slot.node for slot in row.held)}"
    return f"{row.agent} gets no more builds; {state}"


async def _append(link: Link, aggregate: Aggregate, expected: int, event: e.Event) -> None:
    if not await link.append(aggregate, expected, event):
        raise InfrastructureError(f"{aggregate.id} came or went just now", "try again")


def remove_agent(settings: Settings, name: str) -> None:
    """The agent is not listed any more; raises InputError for one that is unknown, or alive."""

    async def work() -> str:
        async with linked(settings) as link:
            found = await link.ask(m.Agents(), m.AgentList)
            row = removable(found.agents, name)
            aggregate = Aggregate("agent", row.agent)
            history = await link.log.read_aggregate(aggregate)
            await _append(link, aggregate, history[-1].sequence, e.AgentRemoved())
            return row.agent

    typer.echo(f"{asyncio.run(work())} is removed; if it joins again, it is a new agent")


def removable(agents: Iterable[m.AgentRow], name: str) -> m.AgentRow:
    """The one agent of that name; raises InputError where there is none, or where it could still build."""
    row = next((row for row in agents if name in {row.agent, _short(row.agent)}), None)
    if row is None:
        raise InputError(f"there is no agent {name}", _WHO)
    if row.held or (row.status != "left" and 0 <= row.seen <= ALIVE_WITHIN):
        raise InputError(f"{row.agent} is alive", "drain it, and stop its process first")
    return row
