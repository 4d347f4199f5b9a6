"""A coordinator put together from its ports: the same in production, in the tests and in the simulator."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import msgspec

from wheelfleet_shared.ports import Blobs, Bus, Clock, EventLog

from ..adapters.memory_leadership import AlwaysLeads
from ..core.instructions import Instruction
from ..core.leases import LeaseBook
from .committer import Committer
from .coordinator import Coordinator, State, new_state
from .desk import Desk
from .effects import Workers, carry_out
from .executor import Executor
from .fetching import Download, Fetcher
from .leadership import Leadership, take_turns
from .listings import FetchPage, Listings
from .locking import lock
from .page_writer import PageWriter
from .pinning import Trees
from .prebuilt import PrebuiltAccepter
from .reconciling import Reconciler
from .renewing import Renew, no_renewal
from .resolving import Resolver
from .taking_over import TakerOver
from .verifying import Verifier
from .watch import LeaseWatch

logger = logging.getLogger(__name__)


class Ports(NamedTuple):
    """Everything outside that a coordinator touches."""

    log: EventLog
    bus: Bus
    blobs: Blobs
    clock: Clock
    fetch_page: FetchPage
    download: Download
    new_id: Callable[[], str]
    trees: Trees


class Times(msgspec.Struct, frozen=True):
    """Seconds of silence that end a lease; between looks at the leases; between looks for lost wheels."""

    lease: float = 60.0
    watch: float = 2.0
    reconcile: float = 3600.0


class Assembled(NamedTuple):
    """The parts that others speak to."""

    state: State
    coordinator: Coordinator
    committer: Committer
    executor: Executor
    desk: Desk
    leases: LeaseBook
    pages: PageWriter
    watch: LeaseWatch
    reconciler: Reconciler


def assemble(ports: Ports, times: Times, *, renew: Renew = no_renewal) -> Assembled:
    """Wire the parts; nothing runs yet and nothing was read. ``renew`` makes credentials of agents last longer."""
    state = new_state()
    world, walk, progress = state
    committer = Committer(ports.log, world, progress, ports.clock, ports.new_id)
    leases = LeaseBook(times.lease)

    def leading() -> bool:
        return coordinator.leading

    def changed() -> None:
        desk.serve_parked()
        pages.notice()

    def finished(instruction: Instruction) -> None:
        walk.touch(instruction)
        coordinator.look_again()

    reconciler = Reconciler(world, ports.blobs, committer, period=times.reconcile, leading=leading)
    workers = _workers(ports, state, committer, reconciler)
    executor = Executor(lambda instruction: carry_out(instruction, committer, workers), finished)
    desk = Desk(state, ports.blobs, leases, ports.clock, leading=leading, commit=committer.commit, renew=renew)
    pages = PageWriter(world, walk, ports.blobs, committer, leading=leading)
    watch = LeaseWatch(world, leases, committer, ports.clock, period=times.watch, leading=leading)
    coordinator = Coordinator(ports.log, state, committer, executor, changed)
    return Assembled(state, coordinator, committer, executor, desk, leases, pages, watch, reconciler)


def _workers(ports: Ports, state: State, committer: Committer, reconciler: Reconciler) -> Workers:
    world = state.world
    listings = Listings(world, committer, ports.blobs, ports.fetch_page)
    return Workers(
        resolve=Resolver(world, committer, ports.blobs, listings, ports.trees).resolve,
        fetch=Fetcher(world, committer, ports.blobs, ports.download, ports.trees).fetch,
        take_over=TakerOver(world, committer, ports.blobs, ports.fetch_page, ports.download).take_over,
        accept_prebuilt=PrebuiltAccepter(world, committer, ports.blobs).accept,
        lock=lambda instruction: lock(instruction, committer),
        verify=Verifier(world, committer, ports.blobs).verify,
        reconcile=reconciler.look_at_environment,
    )


async def run(
    parts: Assembled,
    bus: Bus,
    open_queries: Callable[[Bus], Awaitable[None]] | None = None,
    *,
    leadership: Leadership | None = None,
) -> None:
    """Catch up with the log, answer agents (and people), and lead or stand by until cancelled.

    Without ``leadership`` it leads, whoever else does.
    """
    folded = await parts.coordinator.catch_up()
    logger.info("folded %d events", folded)
    await parts.desk.open(bus)
    if open_queries is not None:
        await open_queries(bus)

    def lead() -> None:
        parts.leases.reset()
        parts.coordinator.lead()
        parts.pages.notice()
        parts.reconciler.look_soon()

    async with asyncio.TaskGroup() as group:
        group.create_task(parts.coordinator.run())
        group.create_task(parts.pages.run())
        group.create_task(parts.watch.run())
        group.create_task(parts.reconciler.run())
        group.create_task(take_turns(leadership or AlwaysLeads(), lead, parts.coordinator.stand_by))
