"""The agents' slots at one moment, as the log tells of them: who is at what, and how soon they are free."""

from collections.abc import Collection, Iterator

from wheelfleet_shared.core.build import Build, Status
from wheelfleet_shared.core.messages import Ask
from wheelfleet_shared.core.run import Agent

from .faster import Faster, SlotAhead, left_of
from .scheduling import Elsewhere, is_exclusive, refusal
from .world import World


def ask_of(agent: Agent) -> Ask | None:
    """What an agent would ask for with all of its machine free; None of one that has not joined."""
    joined = agent.joined
    if joined is None:
        return None
    return Ask(joined.incarnation, joined.targets, joined.memory, joined.disk, joined.labels, joined.sandbox)


def faster_than(world: World, agent: str, waiting: Collection[Elsewhere], at: float) -> Faster | None:
    """The slots of agents faster than this one; None where all are alike, as far as is known.

    waiting: who waits for work. at: seconds since the epoch. Cost: linear in the builds under way.
    """
    if not world.durations.unlike:
        return None
    durations = world.durations
    slots = [*_busy(world, at), *_free(world, waiting)]
    return Faster(agent, durations.speed(agent), slots, durations.of, may_have)


def may_have(build: Build, slot: SlotAhead) -> bool:
    """Whether the agent of a slot may have the build, once the slot is free."""
    return not refusal(build, slot.agent, slot.ask)


def _busy(world: World, at: float) -> Iterator[SlotAhead]:
    for build in map(world.build, world.by_status[Status.CLAIMED]):
        agent = world.agent(build.owner)
        ask = ask_of(agent)
        if ask is not None and not agent.left:
            speed = world.durations.speed(agent.id)
            left = left_of(world.durations.of(build) / speed, max(0.0, at - build.claimed_at))
            yield SlotAhead(agent, ask, speed, left)


def _free(world: World, waiting: Collection[Elsewhere]) -> Iterator[SlotAhead]:
    """Those that wait for work, but for agents with a build that must be alone there."""
    alone = {build.owner for build in map(world.build, world.by_status[Status.CLAIMED]) if is_exclusive(build)}
    for agent, ask in waiting:
        if agent.id not in alone:
            yield SlotAhead(agent, ask, world.durations.speed(agent.id), 0.0)
