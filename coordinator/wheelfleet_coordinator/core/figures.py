"""What to watch of a cluster, in numbers: whether there is work without agents, or agents without work."""

from collections.abc import Iterable, Sequence

import msgspec

from wheelfleet_shared.core import messages as m
from wheelfleet_shared.core.build import Status

from .world import World


class TargetFigures(msgspec.Struct, frozen=True):
    """One target. ready: queued builds. idle: alive agents with a free slot that offer it; slots: of all that do.

    backlog: seconds of work that is queued, on one slot of an ordinary agent. Nothing of what these
    builds will uncover is in it.
    """

    target: str
    ready: int = 0
    backlog: float = 0.0
    agents: int = 0
    idle: int = 0
    slots: int = 0


class Figures(msgspec.Struct, frozen=True):
    """The whole cluster at one moment. agents: how many have which status. leases: builds that an agent holds."""

    targets: tuple[TargetFigures, ...]
    agents: dict[str, int]
    leases: int
    active_runs: int
    ignored: int
    through: int


def figures(world: World, rows: Sequence[m.AgentRow]) -> Figures:
    """Counted from the folded log and from the agents as lists show them. Cost: linear in queued builds and agents."""
    ready, backlog = _queued(world)
    alive = [row for row in rows if row.status == "alive"]
    offered = {target for row in alive for target in row.targets}
    return Figures(
        targets=tuple(
            _of_target(target, ready.get(target, 0), backlog.get(target, 0.0), alive)
            for target in sorted({*offered, *ready})
        ),
        agents=_counted(row.status for row in rows),
        leases=len(world.by_status[Status.CLAIMED]),
        active_runs=len(list(world.active_runs())),
        ignored=world.ignored,
        through=world.through,
    )


def _queued(world: World) -> tuple[dict[str, int], dict[str, float]]:
    """Target → builds that wait for an agent, and the seconds that they are expected to take."""
    ready, backlog = dict[str, int](), dict[str, float]()
    for found in world.by_status[Status.QUEUED]:
        plan = world.builds[found].plan
        if plan is None:
            continue
        ready[plan.host] = ready.get(plan.host, 0) + 1
        seconds = world.durations.seconds(plan.node.name, plan.expectation)
        backlog[plan.host] = backlog.get(plan.host, 0.0) + seconds
    return ready, backlog


def _of_target(target: str, ready: int, backlog: float, alive: Iterable[m.AgentRow]) -> TargetFigures:
    offering = [row for row in alive if target in row.targets]
    idle = sum(len(row.held) < row.slots for row in offering)
    return TargetFigures(target, ready, backlog, len(offering), idle, sum(row.slots for row in offering))


def _counted(statuses: Iterable[str]) -> dict[str, int]:
    found = dict.fromkeys(("alive", "draining", "left", "set aside", "silent"), 0)
    for status in statuses:
        found[status] = found.get(status, 0) + 1
    return found
