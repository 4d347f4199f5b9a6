"""A running cluster watched from outside, and its processes killed at chosen moments of its log."""

import asyncio
import contextlib
import hashlib
import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from local_store import Store
from wheelfleet_shared.adapters.make_credentials import load_credential
from wheelfleet_shared.adapters.nats_connection import connect
from wheelfleet_shared.adapters.nats_log import NatsLog
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.envelope import Recorded

PARTS = ("nats-server", "juicefs", "coordinator", "agent", "supervisor")
_BETWEEN_LOOKS = 0.02
_STEP = 0.005
"""Seconds for which a stopped part goes on at a time."""


class Watch:
    """The log as it grows, the store, and the processes. Made by ``watching``."""

    def __init__(self, data: Path, log: NatsLog) -> None:
        self.store = Store(data)
        self.events: list[Recorded] = []
        self._data = data
        self._log = log
        self._grown = asyncio.Condition()

    async def follow(self) -> None:
        """Keep ``events`` up to date until cancelled."""
        async for chunk in self._log.tail():
            async with self._grown:
                self.events += chunk
                self._grown.notify_all()

    async def next(self, after: int, wanted: Callable[[Recorded], bool]) -> Recorded:
        """The first event after a number of events that is as wanted."""
        while True:
            for recorded in self.events[after:]:
                if wanted(recorded):
                    return recorded
            async with self._grown:
                after = max(after, await self._more(after))

    async def _more(self, after: int) -> int:
        seen = len(self.events)
        if seen <= after:
            await self._grown.wait()
        return min(seen, len(self.events))

    async def caught_up(self) -> None:
        """All that is in the log now has been seen."""
        last = await self._log.last_sequence()
        async with self._grown:
            await self._grown.wait_for(lambda: bool(self.events) and self.events[-1].sequence >= last)

    def pid(self, part: str) -> int | None:
        """The process of a part of the complete cluster; None while it is not complete."""
        try:
            cluster = json.loads((self._data / "cluster.json").read_bytes())
        except FileNotFoundError:
            return None
        marks = {each["name"]: each["mark"] for each in cluster["parts"]} | {"supervisor": cluster["supervisor"]}
        return int(marks[part]["pid"])

    async def another(self, part: str, old: int | None) -> int:
        """The process of a part, once the cluster is complete and it is not the old one."""
        while (pid := self.pid(part)) is None or pid == old:
            await asyncio.sleep(_BETWEEN_LOOKS)
        return pid


@contextlib.asynccontextmanager
async def watching(data: Path) -> AsyncIterator[Watch]:
    """A watch over the cluster of a data folder, which runs."""
    credential = load_credential(data / "credentials" / "operator-local.json")
    client = await connect(credential, name="watch")
    watch = Watch(data, NatsLog(client, credential.actor, ""))
    following = asyncio.create_task(watch.follow())
    try:
        yield watch
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await client.close()


class Moment(NamedTuple):
    """When to kill which part. All three are told how many events there were when the waiting began.

    come: returns when the moment has come, or is about to. holds: whether it is now, with the part stopped; ahead:
    whether it is still to come, so that the part may go on for a step.
    """

    name: str
    victim: str
    come: Callable[[Watch, int], Awaitable[object]]
    holds: Callable[[Watch, int], bool] = lambda _watch, _after: True
    ahead: Callable[[Watch, int], bool] = lambda _watch, _after: False


class Kill(NamedTuple):
    """What was killed, and after which event of the log."""

    moment: str
    victim: str
    sequence: int


async def kill_at(watch: Watch, moment: Moment) -> Kill:
    """The victim is killed at the moment, which is made sure of: missed once, the next of its kind is waited for."""
    while True:
        after = len(watch.events)
        pid = await watch.another(moment.victim, None)
        await moment.come(watch, after)
        if watch.pid(moment.victim) == pid and await _caught(watch, moment, after, pid):
            os.kill(pid, signal.SIGKILL)
            return Kill(moment.name, moment.victim, watch.events[-1].sequence)


async def _caught(watch: Watch, moment: Moment, after: int, pid: int) -> bool:
    """Whether the victim is stopped at the moment; it goes in steps towards it, and runs on where that was missed."""
    while True:
        os.kill(pid, signal.SIGSTOP)
        if moment.victim in {"coordinator", "agent"}:
            await watch.caught_up()
        if await asyncio.to_thread(moment.holds, watch, after):
            return True
        os.kill(pid, signal.SIGCONT)
        if not moment.ahead(watch, after):
            return False
        await asyncio.sleep(_STEP)


def after_events(number: int, victim: str) -> Moment:
    """After so many further events."""

    async def come(watch: Watch, after: int) -> object:
        return await watch.next(after + number - 1, lambda _: True)

    return Moment(f"{number} events on", victim, come)


def after_claim() -> Moment:
    """Between a claim and what the claimer says next."""

    async def come(watch: Watch, after: int) -> object:
        return await watch.next(after, lambda recorded: isinstance(recorded.event, e.BuildClaimed))

    def holds(watch: Watch, after: int) -> bool:
        claims = {each.aggregate: each for each in watch.events[after:] if isinstance(each.event, e.BuildClaimed)}
        ended = {each.aggregate for each in watch.events[after:] if getattr(each.event, "fence", 0)}
        return bool(claims.keys() - ended)

    return Moment("between BuildClaimed and its result", "agent", come, holds)


def after_upload() -> Moment:
    """Between the upload of a wheel and WheelBuilt."""

    def uploaded(watch: Watch) -> bool:
        told = {each.event.wheel.sha256 for each in watch.events if isinstance(each.event, e.WheelBuilt)}
        stored = {key.split("/")[2] for key in watch.store.keys("blobs/") if key.endswith(".whl")}
        return bool(stored - told)

    async def come(watch: Watch, _: int) -> None:
        while not await asyncio.to_thread(uploaded, watch):
            await asyncio.sleep(_STEP)

    return Moment("between the upload and WheelBuilt", "agent", come, lambda watch, _: uploaded(watch))


def before_publishing() -> Moment:
    """Between WheelAccepted and WheelPublished."""

    async def come(watch: Watch, after: int) -> object:
        return await watch.next(after, lambda recorded: isinstance(recorded.event, e.WheelBuilt))

    def holds(watch: Watch, after: int) -> bool:
        accepted = {each.aggregate for each in watch.events if isinstance(each.event, e.WheelAccepted)}
        return bool(accepted - {each.aggregate for each in watch.events if isinstance(each.event, e.WheelPublished)})

    def ahead(watch: Watch, after: int) -> bool:
        return not any(isinstance(each.event, e.WheelPublished) for each in watch.events[after:])

    return Moment("between WheelAccepted and WheelPublished", "coordinator", come, holds, ahead)


def before_page_is_told() -> Moment:
    """Between the put of a project's page and IndexUpdated."""

    async def come(watch: Watch, after: int) -> object:
        return await watch.next(after, lambda recorded: isinstance(recorded.event, e.WheelPublished))

    def holds(watch: Watch, after: int) -> bool:
        updates = [each.event for each in watch.events if isinstance(each.event, e.IndexUpdated)]
        told = {update.project: update.json for update in updates}
        pages = [key for key in watch.store.keys("indexes/") if key.endswith("/index.json") and key.count("/") == 5]
        return any(told.get(key.split("/")[4]) != _sha256(watch.store.get(key)) for key in pages)

    def ahead(watch: Watch, after: int) -> bool:
        return not any(isinstance(each.event, e.IndexUpdated) for each in watch.events[after:])

    return Moment("between a page and IndexUpdated", "coordinator", come, holds, ahead)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
