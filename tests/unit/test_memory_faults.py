import asyncio

import pytest

from wheelfleet_shared.adapters.memory_bus import MemoryBus, MemoryHub, matches
from wheelfleet_shared.adapters.memory_log import MemoryLog, MemoryStream, NoFaults
from wheelfleet_shared.core.envelope import Aggregate, Envelope
from wheelfleet_shared.core.events import BuildQueued
from wheelfleet_shared.errors import InfrastructureError, RequestTimeout
from wheelfleet_shared.names import Actor
from wheelfleet_shared.ports import AlreadyAppended, Append, Appended

AGENT, COORDINATOR = Actor("agent-a1"), Actor("coordinator-main")
DECISION = Append(Aggregate("build", "x"), 0, (Envelope("one", 1.0, BuildQueued()),))


@pytest.mark.parametrize(
    ("pattern", "subject", "expected"),
    [
        ("a.b", "a.b", True),
        ("a.*", "a.b", True),
        ("a.*", "a.b.c", False),
        ("a.>", "a.b.c", True),
        ("a.>", "a", False),
        (">", "a.b", True),
        ("*.b.>", "a.b.c", True),
        ("*.b.>", "a.c.c", False),
        ("a.b.c", "a.b", False),
    ],
)
def test_subjects_match_as_on_a_server(pattern, subject, expected):
    assert matches(pattern, subject) is expected


class Carrier:
    def __init__(self, requests: int, answers: int) -> None:
        self.copies = {"a": requests, "_INBOX_agent-a1": answers}

    async def carry(self, _, subject, __):
        await asyncio.sleep(0)
        return self.copies[subject.partition(".")[0]]


@pytest.mark.parametrize(("requests", "answers", "served"), [(0, 1, 0), (1, 0, 1), (2, 0, 2)])
def test_a_lost_request_or_answer_is_a_timeout_and_a_doubled_request_is_served_twice(requests, answers, served):
    async def ask() -> int:
        hub, carrier, seen = MemoryHub(), Carrier(requests, answers), []

        async def note(_: str, payload: bytes) -> bytes:
            seen.append(payload)
            return payload

        await MemoryBus(hub, COORDINATOR, carrier).serve("a.>", note)
        with pytest.raises(RequestTimeout):
            await MemoryBus(hub, AGENT, carrier).request("a.ask.agent-a1", b"", timeout=0.01)
        return len(seen)

    assert asyncio.run(ask()) == served


class LostAcknowledgement(NoFaults):
    def __init__(self, times: int) -> None:
        self.times = times

    async def after_append(self, *_):
        if self.times:
            self.times -= 1
            raise RequestTimeout("lost")


def test_after_a_lost_acknowledgement_the_handle_learns_of_its_own_append():
    stream = MemoryStream()
    log = MemoryLog(stream, COORDINATOR, LostAcknowledgement(2))
    assert asyncio.run(log.append([DECISION])) == [AlreadyAppended(1)]
    assert len(stream.messages) == 1


def test_without_any_acknowledgement_the_outcome_is_unknown():
    stream = MemoryStream()
    with pytest.raises(InfrastructureError, match="did not acknowledge"):
        asyncio.run(MemoryLog(stream, COORDINATOR, LostAcknowledgement(99)).append([DECISION]))
    assert asyncio.run(MemoryLog(stream, AGENT).append([DECISION])) == [AlreadyAppended(1)]


class LostRequest(NoFaults):
    def __init__(self) -> None:
        self.lost = False

    async def before_append(self, *_):
        if not self.lost:
            self.lost = True
            raise RequestTimeout("lost")


def test_a_lost_request_is_sent_again():
    assert asyncio.run(MemoryLog(MemoryStream(), AGENT, LostRequest()).append([DECISION])) == [Appended(1)]
