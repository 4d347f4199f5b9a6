"""Lists for people: runs, agents and files, as the world and the heartbeats tell them."""

from collections.abc import Callable, Iterable, Mapping

from wheelfleet_shared.core import messages as m
from wheelfleet_shared.core.build import Status
from wheelfleet_shared.core.run import Agent, Run
from wheelfleet_shared.names import IndexName, RunId

from .idle import idle_because
from .walk import Walk
from .world import World

Heard = Callable[[str, str], float | None]
"""(agent, incarnation) → monotonic seconds at which that process was last heard."""

ALIVE_WITHIN = 30.0
"""Seconds of silence after which an agent is no longer counted as on offer: three heartbeats."""


def run_rows(world: World, walk: Walk, limit: int) -> tuple[m.RunRow, ...]:
    """The newest runs first. Cost: linear in ``limit`` and in the nodes of active runs."""
    newest = sorted(world.runs, key=lambda run: world.submitted_at_sequence.get(run, 0), reverse=True)
    return tuple(_run_row(world, walk, run) for run in newest[:limit] if world.runs[run].submitted is not None)


def _run_row(world: World, walk: Walk, run: RunId) -> m.RunRow:
    state = world.runs[run]
    submitted = state.submitted
    good, bad = _ended(walk, state)
    nodes = sum(len(graph.nodes) for graph in world.graphs_of(run))
    return m.RunRow(
        run=run,
        status=state.status,
        submitted_at=state.submitted_at,
        finished_at=state.finished_at,
        requirements=submitted.requirements if submitted is not None else (),
        index=str(submitted.index) if submitted is not None else "",
        succeeded=good,
        failed=bad,
        open=0 if state.finished is not None else max(0, nodes - good - bad),
        by=state.submitted_by,
    )


def _ended(walk: Walk, run: Run) -> tuple[int, int]:
    if run.finished is not None:
        return run.finished.succeeded, run.finished.failed
    return walk.counts(run.id)


def slot_rows(world: World, heartbeats: Mapping[str, m.Heartbeat], at: float) -> tuple[m.SlotRow, ...]:
    """What each busy slot does, by agent: the phase that its agent told last, and for how long it has the build.

    at: seconds since the epoch. Claims are known at once, phases with the agent's next heartbeat.
    """
    phases = {held.fence: held.phase for beat in heartbeats.values() for held in beat.held}
    claimed = [world.builds[build] for build in world.by_status[Status.CLAIMED]]
    rows = [
        m.SlotRow(
            agent=build.owner,
            node=str(build.plan.node),
            goal=build.plan.goal,
            phase=phases.get(build.fence, "starting"),
            seconds=max(0.0, at - build.claimed_at),
        )
        for build in claimed
        if build.plan is not None
    ]
    return tuple(sorted(rows, key=lambda row: (row.agent, -row.seconds, row.node)))


def agent_rows(world: World, slots: Iterable[m.SlotRow], heard: Heard, now: float) -> tuple[m.AgentRow, ...]:
    """All agents that ever joined, by name. now: monotonic seconds on the clock of ``heard``."""
    busy: dict[str, list[m.SlotRow]] = {}
    for slot in slots:
        busy.setdefault(slot.agent, []).append(slot)
    return tuple(
        m.AgentRow(
            agent=name,
            targets=tuple(agent.joined.targets),
            slots=agent.joined.slots,
            sandbox=agent.joined.sandbox,
            status=agent_status(agent, silence(agent, heard, now)),
            seen=silence(agent, heard, now),
            held=tuple(busy.get(name, ())),
            evidence=agent.quarantined or world.doubts.against(name),
            idle=_idle(world, agent, len(busy.get(name, ())), silence(agent, heard, now)),
        )
        for name, agent in sorted(world.agents.items())
        if agent.joined is not None
    )


def _idle(world: World, agent: Agent, busy: int, silent: float) -> str:
    full = agent.joined is not None and busy >= agent.joined.slots
    return "" if full or agent_status(agent, silent) != "alive" else idle_because(world, agent)


def silence(agent: Agent, heard: Heard, now: float) -> float:
    """Seconds since the agent's process was heard; negative when it never was since this coordinator started."""
    last = heard(agent.id, agent.joined.incarnation) if agent.joined is not None else None
    return now - last if last is not None else -1.0


def agent_status(agent: Agent, silent: float) -> str:
    """One word for a list."""
    if agent.left:
        return "left"
    if agent.quarantined:
        return "set aside"
    if silent < 0 or silent > ALIVE_WITHIN:
        return "silent"
    return "draining" if agent.draining else "alive"


def target_list(world: World, heard: Heard, now: float) -> m.TargetList:
    """What alive agents offer together; a target counts once it is defined."""
    alive = [
        agent.joined
        for agent in world.agents.values()
        if agent.joined is not None and agent_status(agent, silence(agent, heard, now)) == "alive"
    ]
    offered = sorted({target for joined in alive for target in joined.targets})
    defined = tuple(t for t in offered if t in world.targets and world.targets[t].definition is not None)
    sandboxes = tuple(sorted({joined.sandbox for joined in alive}))
    return m.TargetList(defined, sum(joined.slots for joined in alive), sandboxes)


def file_answer(world: World, index: IndexName, file_name: str) -> m.FileAnswer:
    """What a file name of an index means now."""
    file = world.file(index, file_name)
    sha256 = file.accepted.file.sha256 if file.accepted is not None else ""
    return m.FileAnswer(file.id, file.last, str(file.status), sha256, file.yanked)
