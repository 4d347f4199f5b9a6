"""Why an agent with free slots gets nothing to do."""

from collections import Counter
from itertools import islice
from typing import Final

from wheelfleet_shared.core.build import Build, Status
from wheelfleet_shared.core.run import Agent

from .fleet_now import ask_of
from .scheduling import refusal
from .world import World

LOOKED_AT: Final = 200
"""Queued builds that are looked at; what is true of these is true of most."""


def idle_because(world: World, agent: Agent) -> str:
    """Why an agent that is alive has free slots, in words; empty where work is on its way to it.

    Cost: linear in the builds under way, and in the queued ones up to ``LOOKED_AT``.
    """
    ask = ask_of(agent)
    if ask is None or agent.draining or agent.quarantined:
        return ""
    queued = [world.builds[build] for build in islice(world.by_status[Status.QUEUED], LOOKED_AT)]
    if not queued:
        return _nothing_queued(world)
    held = [build for build in map(world.build, world.by_status[Status.CLAIMED]) if build.owner == agent.id]
    reasons = Counter(refusal(build, agent, ask, held) for build in queued)
    if reasons.pop("", 0):
        return ""
    reason, count = reasons.most_common(1)[0]
    return f"{_many(len(world.by_status[Status.QUEUED]))} queued, none for it: it {reason}{_of(count, queued)}"


def _nothing_queued(world: World) -> str:
    claimed = len(world.by_status[Status.CLAIMED])
    if not world.active_runs():
        return "no run is active"
    return f"nothing is queued; {_many(claimed)} under way" if claimed else "nothing is queued yet"


def _many(count: int) -> str:
    return "1 build is" if count == 1 else f"{count} builds are"


def _of(count: int, queued: list[Build]) -> str:
    return f" ({count} of them)" if count < len(queued) else ""
