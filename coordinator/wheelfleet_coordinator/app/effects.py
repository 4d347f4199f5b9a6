"""Each instruction of the walk, carried out."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.envelope import Aggregate

from ..core import decisions
from ..core.instructions import (
    Abandon,
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
from .committer import Committer

Events = tuple[e.Event, ...]
RETRY_PAUSE: Final = 1.0
"""Seconds before the first retry of an aborted build; doubled for each further one."""
LONGEST_RETRY_PAUSE: Final = 60.0


class Workers(NamedTuple):
    """The effects that reach beyond the log; each returns what it appended."""

    resolve: Callable[[Resolve], Awaitable[Events]]
    fetch: Callable[[Fetch], Awaitable[Events]]
    take_over: Callable[[TakeOver], Awaitable[Events]]
    lock: Callable[[Lock], Awaitable[Events]]
    verify: Callable[[Verify], Awaitable[Events]]


async def carry_out(instruction: Instruction, committer: Committer, workers: Workers) -> bool:  # noqa: C901
    """Do what is asked; whether anything was appended. Raises InfrastructureError to be tried again.

    One flat match over the instructions.
    """
    match instruction:
        case Resolve():
            done = await workers.resolve(instruction)
        case Fetch():
            done = await workers.fetch(instruction)
        case TakeOver():
            done = await workers.take_over(instruction)
        case Lock():
            done = await workers.lock(instruction)
        case Verify():
            done = await workers.verify(instruction)
        case Retry(build, aborts):
            await asyncio.sleep(min(RETRY_PAUSE * 2 ** (aborts - 1), LONGEST_RETRY_PAUSE))
            done = await committer.commit(_build(build), lambda world: decisions.retry(world, build))
        case Plan():
            done = await committer.commit(_build(instruction.build), lambda world: decisions.plan(world, instruction))
        case Satisfy():
            done = await committer.commit(
                _build(instruction.build), lambda world: decisions.satisfy(world, instruction)
            )
        case Refuse():
            done = await committer.commit(_build(instruction.build), lambda world: decisions.refuse(world, instruction))
        case Queue(build):
            done = await committer.commit(_build(build), lambda world: decisions.queue(world, build))
        case GiveUp():
            done = await committer.commit(
                _build(instruction.build), lambda world: decisions.give_up(world, instruction)
            )
        case Abandon(build, run):
            done = await committer.commit(_build(build), lambda world: decisions.abandon(world, build, run))
        case Finish():
            done = await committer.commit(
                Aggregate("run", instruction.run), lambda world: decisions.finish(world, instruction)
            )
    return bool(done)


def _build(build: str) -> Aggregate:
    return Aggregate("build", build)
