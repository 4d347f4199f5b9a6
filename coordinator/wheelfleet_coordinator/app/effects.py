"""Each instruction of the walk, carried out."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.envelope import Aggregate
from wheelfleet_shared.names import BuildId

from ..core import decisions, ending_decisions
from ..core.instructions import (
    Abandon,
    AcceptPrebuilt,
    FallBack,
    Fetch,
    Finish,
    GiveUp,
    Instruction,
    Lock,
    Plan,
    Queue,
    Refuse,
    Resolve,
    Retry,
    Satisfy,
    TakeOver,
    Verify,
)
from ..core.world import World
from .committer import Committer

Events = tuple[e.Event, ...]
OfBuild = Plan | Satisfy | Refuse | Queue | Retry | GiveUp | Abandon
RETRY_PAUSE: Final = 1.0
"""Seconds before the first retry of an aborted build; doubled for each further one."""
LONGEST_RETRY_PAUSE: Final = 60.0


class Workers(NamedTuple):
    """The effects that reach beyond the log; each returns what it appended."""

    resolve: Callable[[Resolve | FallBack], Awaitable[Events]]
    fetch: Callable[[Fetch], Awaitable[Events]]
    take_over: Callable[[TakeOver], Awaitable[Events]]
    accept_prebuilt: Callable[[AcceptPrebuilt], Awaitable[Events]]
    lock: Callable[[Lock], Awaitable[Events]]
    verify: Callable[[Verify], Awaitable[Events]]
    reconcile: Callable[[BuildId], Awaitable[Events]]


async def carry_out(instruction: Instruction, committer: Committer, workers: Workers) -> bool:
    """Do what is asked; whether anything was appended. Raises InfrastructureError to be tried again."""
    match instruction:
        case Resolve() | FallBack():
            done = await workers.resolve(instruction)
        case Fetch():
            done = await workers.fetch(instruction)
        case TakeOver():
            done = await workers.take_over(instruction)
        case AcceptPrebuilt():
            done = await workers.accept_prebuilt(instruction)
        case Lock():
            done = await workers.lock(instruction)
        case Verify():
            done = await workers.verify(instruction)
        case Finish():
            done = await committer.commit(
                Aggregate("run", instruction.run), lambda world: decisions.finish(world, instruction)
            )
        case Retry(build):
            done = await workers.reconcile(build) or await _decide(instruction, committer)
        case _:
            done = await _decide(instruction, committer)
    return bool(done)


async def _decide(instruction: OfBuild, committer: Committer) -> Events:
    """What needs nothing but a decision on one build, at once or after a pause."""
    if isinstance(instruction, Retry):
        await asyncio.sleep(min(RETRY_PAUSE * 2 ** (instruction.aborts - 1), LONGEST_RETRY_PAUSE))
    return await committer.commit(Aggregate("build", instruction.build), lambda world: _decision(world, instruction))


def _decision(world: World, instruction: OfBuild) -> Events:
    match instruction:
        case Plan():
            return decisions.plan(world, instruction)
        case Satisfy():
            return ending_decisions.satisfy(world, instruction)
        case Refuse():
            return ending_decisions.refuse(world, instruction)
        case Queue(build):
            return decisions.queue(world, build)
        case Retry(build):
            return decisions.retry(world, build)
        case GiveUp():
            return decisions.give_up(world, instruction)
        case Abandon(build, run):
            return decisions.abandon(world, build, run)
