"""Silence and what it costs."""

from collections.abc import Callable

import pytest

from wheelfleet_coordinator.core.leases import LeaseBook, Lost
from wheelfleet_shared.core.build import Build, Status
from wheelfleet_shared.names import BuildId

OWNER = ("agent-a", "i1")


def claim(fence: int = 7, incarnation: str = "i1") -> Build:
    return Build(BuildId(f"b{fence}"), Status.CLAIMED, fence=fence, owner="agent-a", owner_incarnation=incarnation)


def test_silence_counts_from_the_first_look():
    book = LeaseBook(60.0)
    assert book.lost([claim()], 1000.0) == []
    assert book.lost([claim()], 1060.0) == []
    assert book.lost([claim()], 1061.0) == [Lost(BuildId("b7"), 7, 61.0)]


def test_a_named_claim_is_kept():
    book = LeaseBook(60.0)
    book.lost([claim()], 0.0)
    book.heard(*OWNER, 50.0, [7])
    assert book.lost([claim()], 110.0) == []
    assert [lost.silent for lost in book.lost([claim()], 111.0)] == [61.0]


def test_an_owner_that_lives_but_does_not_name_its_claim_loses_it():
    book = LeaseBook(60.0)
    book.lost([claim(), claim(8)], 0.0)
    for now in (20.0, 40.0, 61.0):
        book.heard(*OWNER, now, [8])
    assert [lost.fence for lost in book.lost([claim(), claim(8)], 62.0)] == [7]


def test_another_incarnation_cannot_keep_a_claim():
    book = LeaseBook(60.0)
    book.lost([claim()], 0.0)
    book.heard("agent-a", "i2", 60.0, [7])
    assert [lost.fence for lost in book.lost([claim()], 61.0)] == [7]


@pytest.mark.parametrize(
    "absent", [LeaseBook.reset, lambda book: book.lost([], 30.0)], ids=["reset", "the claim ended in between"]
)
def test_silence_is_counted_afresh(absent: Callable[[LeaseBook], object]):
    book = LeaseBook(60.0)
    book.lost([claim()], 0.0)
    absent(book)
    assert book.lost([claim()], 61.0) == []
    assert len(book.lost([claim()], 122.0)) == 1


def test_who_was_heard_is_remembered_by_process():
    book = LeaseBook(60.0)
    book.heard(*OWNER, 5.0)
    assert book.last_heard(*OWNER) == 5.0
    assert book.last_heard("agent-a", "i2") is None
