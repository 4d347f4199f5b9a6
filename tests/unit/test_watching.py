"""Watching a run whose first event the coordinator that answers has perhaps not read yet."""

import asyncio

import pytest

from wheelfleet_coordinator.cli import connection, watching
from wheelfleet_coordinator.cli.connection import ClusterStopped, Link
from wheelfleet_coordinator.cli.screens import Silence
from wheelfleet_shared.adapters.memory_bus import MemoryBus, MemoryHub
from wheelfleet_shared.core import messages as m
from wheelfleet_shared.core.credentials import Credential
from wheelfleet_shared.errors import InfrastructureError, InputError, RequestTimeout
from wheelfleet_shared.names import Actor, RunId

RUN = RunId("1k84vjlk9hkd9")
ME = Actor("operator-me")


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
    """Nobody answers it any more."""

    async def ask(self, query, kind):
        raise RequestTimeout("no answer within 15 s", "try again")


def test_whoever_watches_a_cluster_out_of_reach_is_told_the_way_back():
    with pytest.raises(InfrastructureError, match=f"out of reach(.|\n)*wheelfleet wait {RUN}") as told:
        asyncio.run(watching.watch(LostLink(), RUN, Silence()))
    assert told.value.exit_code == 3


class LostClient:
    """A connection whose server is gone; the client would try to reconnect for ever."""

    is_connected = False


def test_what_waits_ends_as_soon_as_the_cluster_is_seen_to_be_stopped(monkeypatch):
    monkeypatch.setattr(connection, "_BETWEEN_LOOKS", 0.001)
    link = Link(LostClient(), None, None, stopped=lambda: True)
    with pytest.raises(ClusterStopped, match="the cluster was stopped"):
        asyncio.run(link.unless_stopped(asyncio.Event().wait()))


def test_a_server_that_stays_out_of_reach_is_given_up_after_a_while(monkeypatch):
    monkeypatch.setattr(connection, "_BETWEEN_LOOKS", 0.001)
    monkeypatch.setattr(connection, "PATIENCE", 0.005)
    link = Link(LostClient(), None, None)
    with pytest.raises(InfrastructureError, match="connection to the cluster is lost"):
        asyncio.run(link.unless_stopped(asyncio.Event().wait()))


class StoppedLink:
    """Its cluster was stopped."""

    async def ask(self, query, kind):
        raise ClusterStopped("the cluster was stopped")


def test_whoever_watches_a_cluster_that_stops_is_told_so_and_the_way_back():
    with pytest.raises(InfrastructureError, match=f"was stopped(.|\n)*wheelfleet wait {RUN}") as told:
        asyncio.run(watching.watch(StoppedLink(), RUN, Silence()))
    assert told.value.exit_code == 3


class Client:
    """A connection that stands."""

    is_connected = True


def test_a_question_that_a_standby_declines_is_asked_again_until_the_leader_gets_it(monkeypatch):
    monkeypatch.setattr(connection, "_BETWEEN_TRIES", 0.001)
    answers = [m.NotLeading(), m.NotLeading(), m.RunList(())]

    async def answer(subject: str, payload: bytes) -> bytes:
        return m.encode_message(answers.pop(0))

    async def main() -> m.RunList:
        hub = MemoryHub()
        await MemoryBus(hub, Actor("coordinator-1")).serve("q.*.*", answer, queue="queries")
        link = Link(Client(), Credential(actor=ME, nats_url="", nkey_seed=""), None)
        link._bus = MemoryBus(hub, ME)
        return await link.ask(m.Runs(), m.RunList)

    assert asyncio.run(main()) == m.RunList(())
    assert answers == []
