"""What a simulated fleet comes to: how long, how near to what is possible, and what one more agent is worth."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import BuildId

from .fleet_bounds import bounds
from .fleet_file import Fleet
from .fleet_simulation import in_rounds, simulate
from .simulated_work import Measured, Work

_SHOWN: Final = 8
_MINUTE: Final = 60.0
_HOUR: Final = 3600.0


class KindReport(msgspec.Struct, frozen=True):
    """Agents of one kind. busy: share of the makespan that their slots worked. one_more: seconds it would save."""

    name: str
    count: int
    slots: int
    busy: float
    one_more: float


class FleetReport(msgspec.Struct, frozen=True):
    """Seconds. lower_bound: the highest of chain, area and staggered. efficiency: of it to the makespan.

    chain: the builds of the longest chain, the first one first. rounds: makespan with a barrier after each
    round of what can be built.
    """

    builds: int
    work: float
    makespan: float
    lower_bound: float
    chain_seconds: float
    area: float
    staggered: float
    efficiency: float
    chain: tuple[str, ...]
    rounds: float
    kinds: tuple[KindReport, ...]


def fleet_report(work: Work, fleet: Fleet) -> FleetReport:
    """The report; raises InputError where the work cannot be done. Cost: a simulation a kind of agent, and two."""
    found = simulate(work, fleet)
    limits = bounds(work, fleet)
    kinds = (
        KindReport(
            name=kind.title,
            count=kind.count,
            slots=kind.slots,
            busy=_share(busy, kind.count * kind.slots * found.makespan),
            one_more=max(0.0, found.makespan - simulate(work, _one_more(fleet, place)).makespan),
        )
        for place, (kind, busy) in enumerate(zip(fleet.agents, found.busy, strict=True))
    )
    return FleetReport(
        builds=len(work.needs),
        work=sum(work.seconds.values()),
        makespan=found.makespan,
        lower_bound=limits.best,
        chain_seconds=limits.chain_seconds,
        area=limits.area,
        staggered=limits.staggered,
        efficiency=_share(limits.best, found.makespan, 1.0),
        chain=tuple(_named(work, limits.chain)),
        rounds=in_rounds(work, fleet),
        kinds=tuple(kinds),
    )


def _one_more(fleet: Fleet, place: int) -> Fleet:
    kinds = list(fleet.agents)
    kinds[place] = replace(kinds[place], count=kinds[place].count + 1)
    return replace(fleet, agents=tuple(kinds))


def _share(part: float, whole: float, of_nothing: float = 0.0) -> float:
    return part / whole if whole else of_nothing


def _named(work: Work, builds: Sequence[BuildId]) -> Iterator[str]:
    for build in builds:
        plan = work.candidacies[build].build.plan
        yield str(plan.node) if plan is not None else build


def report_lines(report: FleetReport) -> list[str]:
    """The report for people, but for the kinds of agents."""
    longer = _share(report.rounds, report.makespan, 1.0) - 1
    limit = f"lower bound {_time(report.lower_bound)} ({_reason(report)})"
    return [
        f"{report.builds} builds, {_time(report.work)} of work",
        f"makespan {_time(report.makespan)} · {limit} · {report.efficiency:.0%} efficient",
        f"in rounds with a barrier {_time(report.rounds)} ({longer:+.0%})",
        f"longest chain {_time(report.chain_seconds)}: {_short(report.chain)}",
    ]


def _reason(report: FleetReport) -> str:
    if report.lower_bound <= report.chain_seconds:
        return "the longest chain"
    return "the work for the slots there are"


def _short(chain: Sequence[str]) -> str:
    names = [name.partition("==")[0] for name in chain]
    shown = names if len(names) <= _SHOWN else [*names[: _SHOWN // 2], "…", *names[-_SHOWN // 2 :]]
    return " → ".join(shown) or "nothing"


def _time(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)} min {seconds % _MINUTE:.0f} s"
    return f"{int(seconds // _HOUR)} h {seconds % _HOUR / _MINUTE:.0f} min"


class _Node(msgspec.Struct, frozen=True):
    name: str
    version: str
    file: str = ""
    seconds: float = 0.0


class _Summary(msgspec.Struct, frozen=True):
    nodes: tuple[_Node, ...]


def read_durations(text: str | bytes, origin: str) -> dict[str, Measured]:
    """What a run's summary says of each node that was built in it; raises InputError, naming the file."""
    try:
        found = msgspec.json.decode(text, type=_Summary)
    except msgspec.DecodeError as error:
        raise InputError(f"{origin}: this is no summary: {error}", "give a run's bootstrap-summary.json") from error
    return {
        f"{node.name}=={node.version}": Measured(node.seconds, not node.file.endswith("-any.whl"))
        for node in found.nodes
        if node.seconds > 0 and node.file
    }
