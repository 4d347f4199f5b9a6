import asyncio

import pytest
from prometheus_client.parser import text_string_to_metric_families

from story import RUN, TARGET, Story, edge
from wheelfleet_coordinator.adapters.metrics_text import Latencies, metrics_text
from wheelfleet_coordinator.app.committer import Progress
from wheelfleet_coordinator.app.coordinator import State
from wheelfleet_coordinator.app.measuring import Measuring
from wheelfleet_coordinator.core.figures import figures
from wheelfleet_coordinator.core.leases import LeaseBook
from wheelfleet_coordinator.core.walk import Walk
from wheelfleet_shared.adapters.clock import SystemClock
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core import messages as m
from wheelfleet_shared.errors import InfrastructureError

IDLE = m.AgentRow("agent-a", (TARGET, "other"), 2, "none", "alive", 1.0)
BUSY = m.AgentRow("agent-b", (TARGET,), 1, "none", "alive", 1.0, (m.SlotRow("agent-b", "n", "wheel", "p", 1.0),))
SILENT = m.AgentRow("agent-c", (TARGET,), 4, "none", "silent", 99.0)


@pytest.fixture
def world():
    story = Story()
    story.submit("demo==1.0", "leaf==1.0")
    story.resolve("", "toplevel", edge("toplevel", "demo", "demo==1.0"), edge("toplevel", "leaf", "leaf==1.0"))
    for node in ("demo==1.0", "leaf==1.0"):
        story.prepare(node)
    story.claim(story.builds("leaf==1.0").result)
    build, plan = story.builds("demo==1.0").result
    story.append("build", build, plan)
    story.append("build", build, e.BuildWanted(RUN))
    story.append("build", build, e.BuildQueued())
    return story.world


def samples(text: bytes) -> dict[tuple[str, str], float]:
    families = text_string_to_metric_families(text.decode())
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in families
        for sample in family.samples
    }


def test_work_and_capacity_are_counted_for_each_target(world):
    found = figures(world, [IDLE, BUSY, SILENT])
    by_target = {row.target: row for row in found.targets}
    assert (by_target[TARGET].agents, by_target[TARGET].idle, by_target[TARGET].slots) == (2, 1, 3)
    assert by_target[TARGET].ready == found.leases == 1
    assert by_target[TARGET].backlog > 0
    assert (by_target["other"].ready, by_target["other"].agents) == (0, 1)
    assert found.agents["alive"] == 2
    assert found.agents["silent"] == 1
    assert found.agents["left"] == 0
    assert found.active_runs == 1


def test_targets_with_work_and_without_agents_are_there_too(world):
    (queued,) = figures(world, []).targets
    assert (queued.ready, queued.agents, queued.idle, queued.slots) == (1, 0, 0, 0)


def test_prometheus_reads_what_is_told(world):
    told = samples(metrics_text(figures(world, [IDLE]), Latencies(0.25, None), conflicts=3, leading=True))
    assert told["wheelfleet_idle_agents", TARGET] == 1
    assert told["wheelfleet_agents", "alive"] == 1
    assert told["wheelfleet_conflicts_total", ""] == 3
    assert told["wheelfleet_ignored_events_total", ""] == 0
    assert told["wheelfleet_leading", ""] == 1
    assert told["wheelfleet_latency_seconds", "nats"] == 0.25
    assert (told["wheelfleet_up", "nats"], told["wheelfleet_up", "store"]) == (1, 0)
    assert ("wheelfleet_latency_seconds", "store") not in told


class Blobs:
    """A store of which only ``head`` is asked."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure

    async def head(self, key: str) -> None:
        if self.failure:
            raise self.failure


class Conflicts:
    conflicts = 7


@pytest.mark.parametrize("failure", [None, InfrastructureError("away")])
def test_a_server_that_is_away_is_a_figure_too(failure):
    async def ping() -> None:
        if failure:
            raise failure

    story = Story()
    state = State(story.world, Walk(story.world), Progress(story.world))
    measuring = Measuring(
        state, {}, LeaseBook(60.0), Conflicts(), Blobs(failure), SystemClock(), ping=ping, leading=lambda: False
    )
    told = samples(asyncio.run(measuring.text()))
    assert told["wheelfleet_up", "nats"] == told["wheelfleet_up", "store"] == (failure is None)
    assert told["wheelfleet_conflicts_total", ""] == 7
