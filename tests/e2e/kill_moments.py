"""A running cluster watched from outside, and its processes killed at chosen moments of its log."""

import asyncio
import contextlib
import hashlib
import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from wheelfleet_shared.adapters.make_credentials import load_credential, read_private
from wheelfleet_shared.adapters.nats_connection import connect
from wheelfleet_shared.adapters.nats_log import NatsLog
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.configuration import CoordinatorConfig, decode_config
from wheelfleet_shared.core.envelope import Recorded

PARTS = ("nats-server", "juicefs", "coordinator", "agent", "supervisor")
_BETWEEN_LOOKS = 0.02


class Store:
    """The object store of an embedded cluster, as its operator sees it; what cannot be had now is empty."""

    def __init__(self, data: Path) -> None:
        config = decode_config(read_private(data / "coordinator.json"), CoordinatorConfig).store
        keys = {"aws_access_key_id": config.access_key, "aws_secret_access_key": config.secret_key}
        self._client: Any = boto3.client("s3", endpoint_url=config.endpoint_url, region_name=config.region, **keys)
        self._bucket = config.bucket

    def keys(self, prefix: str) -> list[str]:
        """The keys below a prefix."""
        with contextlib.suppress(BotoCoreError, ClientError):
            found = self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix)
            return [item["Key"] for item in found.get("Contents", ())]
        return []

    def sha256(self, key: str) -> str:
        """The digest of what lies under a key."""
        with contextlib.suppress(BotoCoreError, ClientError):
            return hashlib.sha256(self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()).hexdigest()
        return ""


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
    """When to kill which part. come: returns when it has come; holds: whether it still is, with the part stopped.

    Both are told how many events there were when the moment began to be waited for.
    """

    name: str
    victim: str
    come: Callable[[Watch, int], Awaitable[object]]
    holds: Callable[[Watch, int], bool] = lambda _watch, _after: True


class Kill(NamedTuple):
    """What was killed, and after which event of the log."""

    moment: str
    victim: str
    sequence: int


async def kill_at(watch: Watch, moment: Moment) -> Kill:
    """The victim is killed at the moment, which is made sure of: it is stopped, looked at, and else let go on."""
    while True:
        after = len(watch.events)
        pid = await watch.another(moment.victim, None)
        await moment.come(watch, after)
        if watch.pid(moment.victim) != pid:
            continue
        os.kill(pid, signal.SIGSTOP)
        if moment.victim in {"coordinator", "agent"}:
            await watch.caught_up()
        if moment.holds(watch, after):
            os.kill(pid, signal.SIGKILL)
            return Kill(moment.name, moment.victim, watch.events[-1].sequence)
        os.kill(pid, signal.SIGCONT)


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
            pass

    return Moment("between the upload and WheelBuilt", "agent", come, lambda watch, _: uploaded(watch))


def before_publishing() -> Moment:
    """Between WheelAccepted and WheelPublished."""

    def open_files(watch: Watch) -> set[object]:
        accepted = {each.aggregate for each in watch.events if isinstance(each.event, e.WheelAccepted)}
        return accepted - {each.aggregate for each in watch.events if isinstance(each.event, e.WheelPublished)}

    async def come(watch: Watch, after: int) -> object:
        return await watch.next(after, lambda recorded: isinstance(recorded.event, e.WheelAccepted))

    return Moment(
        "between WheelAccepted and WheelPublished", "coordinator", come, lambda watch, _: bool(open_files(watch))
    )


def before_page_is_told() -> Moment:
    """Between the put of a project's page and IndexUpdated."""

    def untold(watch: Watch) -> bool:
        updates = [each.event for each in watch.events if isinstance(each.event, e.IndexUpdated)]
        told = {update.project: update.json for update in updates}
        pages = [key for key in watch.store.keys("indexes/") if key.endswith("/index.json") and key.count("/") == 5]
        return any(told.get(key.split("/")[4]) != watch.store.sha256(key) for key in pages)

    async def come(watch: Watch, _: int) -> None:
        while not await asyncio.to_thread(untold, watch):
            pass

    return Moment("between a page and IndexUpdated", "coordinator", come, lambda watch, _: untold(watch))
