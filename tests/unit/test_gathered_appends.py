"""Appends of one process that are sent together."""

import asyncio
from collections.abc import Sequence

import pytest

from wheelfleet_shared.adapters.gathered_appends import GatheredAppends
from wheelfleet_shared.core.envelope import Aggregate
from wheelfleet_shared.errors import WheelfleetError
from wheelfleet_shared.ports import Append, Appended, Conflict, Outcome


def append(name: str, expected: int = 0) -> Append:
    return Append(Aggregate("build", name), expected, ())


class Log:
    """Answers when it is told to; refuses whole batches with ``bad`` in them, and conflicts on ``taken``."""

    def __init__(self) -> None:
        self.sent: list[list[str]] = []
        self.free = asyncio.Event()

    async def send(self, batch: Sequence[Append]) -> list[Outcome]:
        names = [one.aggregate.id for one in batch]
        self.sent.append(names)
        await self.free.wait()
        if "bad" in names:
            raise WheelfleetError("too large")
        return [Conflict(7) if name == "taken" else Appended(len(name)) for name in names]


async def sent(log: Log, *batches: Sequence[str]) -> list[list[Outcome] | BaseException]:
    """The first batch is on its way when the others come."""
    appends = GatheredAppends(log.send)
    tasks = [asyncio.create_task(appends.append([append(name) for name in batch])) for batch in batches[:1]]
    while not log.sent:
        await asyncio.sleep(0)
    tasks += [asyncio.create_task(appends.append([append(name) for name in batch])) for batch in batches[1:]]
    await asyncio.sleep(0)
    log.free.set()
    return await asyncio.gather(*tasks, return_exceptions=True)


def test_what_comes_meanwhile_goes_together_and_each_hears_of_its_own():
    async def story() -> None:
        log = Log()
        outcomes = await sent(log, ["a"], ["bb", "taken"], [], ["dddd"])
        assert log.sent == [["a"], ["bb", "taken", "dddd"]]
        assert outcomes == [[Appended(1)], [Appended(2), Conflict(7)], [], [Appended(4)]]

    asyncio.run(story())


def test_one_that_cannot_be_sent_keeps_no_other_out():
    async def story() -> None:
        log = Log()
        first, good, bad = await sent(log, ["a"], ["bb"], ["bad"])
        assert (first, good) == ([Appended(1)], [Appended(2)])
        assert isinstance(bad, WheelfleetError)
        assert log.sent[2:] == [["bb"], ["bad"]]

    asyncio.run(story())


def test_one_alone_is_sent_once_and_its_error_is_raised():
    async def story() -> None:
        log = Log()
        log.free.set()
        with pytest.raises(WheelfleetError):
            await GatheredAppends(log.send).append([append("bad")])
        assert log.sent == [["bad"]]

    asyncio.run(story())


def test_one_who_no_longer_waits_stops_nobody():
    async def story() -> None:
        log = Log()
        appends = GatheredAppends(log.send)
        gone = asyncio.create_task(appends.append([append("a")]))
        while not log.sent:
            await asyncio.sleep(0)
        gone.cancel()
        other = asyncio.create_task(appends.append([append("bb")]))
        await asyncio.sleep(0)
        log.free.set()
        assert await other == [Appended(2)]

    asyncio.run(story())
