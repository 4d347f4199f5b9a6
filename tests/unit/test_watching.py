"""Watching a run whose first event the coordinator that answers has perhaps not read yet."""

import asyncio

import pytest

from wheelfleet_coordinator.cli import watching
from wheelfleet_coordinator.cli.screens import Silence
from wheelfleet_shared.core import messages as m
from wheelfleet_shared.errors import InfrastructureError, InputError, RequestTimeout
from wheelfleet_shared.names import RunId

RUN = RunId("1k84vjlk9hkd9")


class LaggingLink:
    """Answers as a coordinator that reads the run's first event after some questions."""

    def __init__(self, behind: int) -> None:
        self.behind = behind

    async def ask(self, query, kind):
        self.behind -= 1
        if self.behind >= 0:
            raise InputError(f"there is no run {query.run}")
        return m.Progress(query.run, "succeeded", 7, ())


def test_a_run_just_queued_is_watched_even_where_the_coordinator_lags(monkeypatch):
    monkeypatch.setattr(watching, "PERIOD", 0.001)
    progress = asyncio.run(watching.watch(LaggingLink(behind=3), RUN, Silence()))
    assert progress.status == "succeeded"


def test_a_run_that_stays_unknown_is_said_to_be(monkeypatch):
    monkeypatch.setattr(watching, "PERIOD", 0.001)
    monkeypatch.setattr(watching, "READ_WITHIN", 0.01)
    with pytest.raises(InputError, match="no run"):
        asyncio.run(watching.watch(LaggingLink(behind=10**9), RUN, Silence()))


class LostLink:
    """Its cluster was stopped."""

    async def ask(self, query, kind):
        raise RequestTimeout("no answer within 15 s", "try again")


def test_whoever_watches_a_cluster_that_stops_is_told_the_way_back():
    with pytest.raises(InfrastructureError, match=f"stopped(.|\n)*wheelfleet wait {RUN}") as told:
        asyncio.run(watching.watch(LostLink(), RUN, Silence()))
    assert told.value.exit_code == 3
