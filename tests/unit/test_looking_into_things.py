"""What `logs` and `doctor` say above and beside what they found."""

import asyncio
from types import SimpleNamespace

import msgspec
import pytest

from wheelfleet_coordinator.adapters.store_probe import StoreAbilities
from wheelfleet_coordinator.cli import examining, inspecting
from wheelfleet_coordinator.cli.examining import coordinator_findings, store_finding
from wheelfleet_coordinator.cli.inspecting import log_heads
from wheelfleet_shared.core import messages as m
from wheelfleet_shared.names import BuildId

ALL_WELL = StoreAbilities(*([True] * 11), clock_skew=0.0)
SOURCE, WHEEL = BuildId("a" * 32), BuildId("b" * 32)


def test_attempts_count_from_one_within_their_build():
    rows = [
        m.LogRow("demo==1.0", "source", SOURCE, 3, "done", "http://x"),
        m.LogRow("demo==1.0", "wheel", WHEEL, 417, "claimed", "http://x"),
        m.LogRow("demo==1.0", "wheel", WHEEL, 502, "claimed"),
    ]
    assert log_heads(rows) == [
        "--- demo==1.0, source, attempt 1: done",
        "--- demo==1.0, wheel, attempt 1: claimed",
        "--- demo==1.0, wheel, attempt 2: claimed",
    ]


@pytest.mark.parametrize(("chunks", "shown"), [((), "(no output)\n"), ((b"one ", b"two\n"), "one two\n")])
def test_an_empty_log_is_said_to_be(monkeypatch, capsys, chunks, shown):
    async def stored(_):
        for chunk in chunks:
            yield chunk

    monkeypatch.setattr(inspecting, "_stored_log", stored)
    row = m.LogRow("demo==1.0", "source", SOURCE, 3, "done", "http://x")
    asyncio.run(inspecting._print_log(SimpleNamespace(), row, follow=False))
    assert capsys.readouterr().out == shown


def test_what_the_embedded_store_does_without_is_a_remark_only():
    found = store_finding("http://here", msgspec.structs.replace(ALL_WELL, create_only=False, slash_keys=False))
    assert found.state == "good"
    assert "conditional writes are ignored" in found.detail
    assert store_finding("http://here", msgspec.structs.replace(ALL_WELL, paging=False)).state == "failed"


@pytest.mark.parametrize(("embedded", "state"), [(True, "good"), (False, "degraded")])
def test_late_reports_are_harmless_on_the_embedded_cluster(embedded, state):
    pong = m.Pong("1.2", True, "http://here", 9, busy=False, store="memory", ignored=2)
    leads, log = coordinator_findings(pong, embedded=embedded)
    assert (leads.state, log.state) == ("good", state)


def test_the_sandbox_is_named_once(monkeypatch):
    monkeypatch.setattr(examining, "_beside_python", lambda name: name)
    monkeypatch.setattr(examining, "_output", lambda _: (0, "sandbox: standard"))
    assert examining._sandbox() == examining.Finding("sandbox", "good", "standard")
