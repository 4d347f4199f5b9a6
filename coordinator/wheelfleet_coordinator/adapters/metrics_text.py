"""Figures in the text format of Prometheus."""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ..core.figures import Figures, TargetFigures

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_BY_TARGET: Final = (
    ("ready_builds", "Builds that wait for an agent.", "ready"),
    ("backlog_seconds", "Expected seconds of work that waits, on one slot.", "backlog"),
    ("eligible_agents", "Alive agents that offer the target.", "agents"),
    ("idle_agents", "Those of them with a free slot.", "idle"),
    ("slots", "Builds at a time of all of them.", "slots"),
)


class Latencies(msgspec.Struct, frozen=True):
    """Seconds of one round trip just now; None where there was no answer."""

    nats: float | None
    store: float | None


def metrics_text(found: Figures, latencies: Latencies, *, conflicts: int, leading: bool) -> bytes:
    """The figures of one moment; names begin with ``wheelfleet_``."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Given((*_targets(found.targets), *_cluster(found, conflicts, leading), *_latencies(latencies))))
    return generate_latest(registry)


class _Given(Collector):
    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = tuple(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _targets(targets: Iterable[TargetFigures]) -> Iterator[Metric]:
    targets = tuple(targets)
    for name, told, field in _BY_TARGET:
        family = GaugeMetricFamily(f"wheelfleet_{name}", told, labels=["target"])
        for target in targets:
            family.add_metric([target.target], getattr(target, field))
        yield family


def _cluster(found: Figures, conflicts: int, leading: bool) -> Iterator[Metric]:
    agents = GaugeMetricFamily("wheelfleet_agents", "Agents by status.", labels=["status"])
    for status, count in sorted(found.agents.items()):
        agents.add_metric([status], count)
    yield agents
    yield GaugeMetricFamily("wheelfleet_leases", "Builds that an agent holds.", found.leases)
    yield GaugeMetricFamily("wheelfleet_active_runs", "Runs that have not ended.", found.active_runs)
    yield GaugeMetricFamily("wheelfleet_leading", "Whether this coordinator leads.", int(leading))
    yield GaugeMetricFamily("wheelfleet_log_sequence", "How far the log is folded.", found.through)
    yield CounterMetricFamily(
        "wheelfleet_conflicts", "Appends of this coordinator that another came before.", conflicts
    )
    yield CounterMetricFamily("wheelfleet_ignored_events", "Events of the log that were not legal.", found.ignored)


def _latencies(found: Latencies) -> Iterator[Metric]:
    up = GaugeMetricFamily("wheelfleet_up", "Whether it answers this coordinator.", labels=["server"])
    seconds = GaugeMetricFamily("wheelfleet_latency_seconds", "One round trip just now.", labels=["server"])
    for server, latency in (("nats", found.nats), ("store", found.store)):
        up.add_metric([server], int(latency is not None))
        if latency is not None:
            seconds.add_metric([server], latency)
    yield from (up, seconds)
