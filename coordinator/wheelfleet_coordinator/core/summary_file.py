"""bootstrap-summary.json and .md: what became of a run on one target, from the log alone."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from wheelfleet_shared.names import IndexName, RunId, TargetId

from .graph import Graph, StageId
from .indented_json import indented_json
from .node_result import NodeResult, node_results
from .world import World

_FAILURE_HEADS = ("Distribution", "Phase", "What happened", "Hint", "Chain")
_NODE_HEADS = ("Distribution", "Version", "Status", "File", "Size", "Seconds", "Source")


class NodeLine(msgspec.Struct, frozen=True):
    """A node in the summary; size in bytes, seconds of wall. The file: its wheel, or the sdist where that is all."""

    name: str
    version: str
    status: str
    file: str
    sha256: str
    size: int
    seconds: float
    source_url: str
    index: str


class FailureLine(msgspec.Struct, frozen=True):
    """A failure in the summary; ``node`` as name==version, empty for the run's own requirements."""

    node: str
    kind: str
    phase: str
    line: str
    hint: str
    chain: tuple[str, ...]


class Summary(msgspec.Struct, frozen=True):
    """A run on one target; times as ISO 8601 in UTC, empty while open. makespan: from submission to end, in s."""

    run: RunId
    target: TargetId
    index: str
    outcome: str
    submitted: str
    finished: str
    makespan: float | None
    counts: dict[str, int]
    nodes: tuple[NodeLine, ...]
    failures: tuple[FailureLine, ...]


def summary(world: World, graph: Graph) -> Summary:
    """What the world says of one graph of a run. Cost: linear in its nodes."""
    return summary_of(world, graph, node_results(world, graph))


def summary_of(world: World, graph: Graph, results: Sequence[NodeResult]) -> Summary:
    """The summary of a graph whose nodes' results are known."""
    run = world.runs[graph.run]
    index = run.submitted.index if run.submitted is not None else IndexName()
    ended = run.finished is not None
    return Summary(
        run=run.id,
        target=graph.target,
        index=str(index),
        outcome=run.status,
        submitted=_time(run.submitted_at),
        finished=_time(run.finished_at) if ended else "",
        makespan=round(run.finished_at - run.submitted_at, 3) if ended else None,
        counts=dict(sorted(Counter(result.status for result in results).items())),
        nodes=tuple(_node_line(result, str(index)) for result in results),
        failures=(*_failures(results), *_unresolvable(graph)),
    )


def _time(at: float) -> str:
    return dt.datetime.fromtimestamp(at, dt.UTC).isoformat(timespec="milliseconds")


def _node_line(result: NodeResult, index: str) -> NodeLine:
    accepted = result.wheel.accepted if result.wheel is not None else None
    file = accepted.file if accepted is not None else result.sdist if result.status == "sdist only" else None
    return NodeLine(
        name=result.node.name,
        version=result.node.version,
        status=result.status,
        file=file.file_name if file is not None else "",
        sha256=file.sha256 if file is not None else "",
        size=file.size if file is not None else 0,
        seconds=round(result.seconds, 3),
        source_url=result.source_url,
        index=index if result.wheel is not None else "",
    )


def _failures(results: Iterable[NodeResult]) -> list[FailureLine]:
    return [
        FailureLine(str(result.node), found.kind, found.phase, found.line, found.hint, result.chain)
        for result in results
        if (found := result.failure) is not None
    ]


def _unresolvable(graph: Graph) -> list[FailureLine]:
    def place(stage: StageId) -> tuple[str, str, tuple[str, ...]]:
        return (str(stage.node or ""), stage.stage, stage.extras)

    return [
        FailureLine(place(stage)[0], "policy", "resolve", f"{item.requirement}: {item.reason}", item.hint, ())
        for stage in sorted(graph.unresolvable, key=place)
        for item in sorted(graph.unresolvable[stage], key=lambda item: item.requirement)
    ]


def summary_json(found: Summary) -> str:
    """The text of bootstrap-summary.json."""
    return indented_json(found) + "\n"


def summary_markdown(found: Summary) -> str:
    """The text of bootstrap-summary.md."""
    makespan = f"{found.makespan:.1f} s" if found.makespan is not None else "not finished"
    counts = ", ".join(f"{count} {status}" for status, count in found.counts.items()) or "nothing to do"
    lines = [
        f"# Bootstrap summary of run {found.run}",
        "",
        f"{found.target}, index {found.index}: **{found.outcome}** in {makespan} ({counts})",
        "",
        f"Submitted {found.submitted}" + (f", finished {found.finished}" if found.finished else ""),
    ]
    if found.failures:
        lines += ["", "## Failures", "", *_table(_FAILURE_HEADS, [_failure_cells(line) for line in found.failures])]
    if found.nodes:
        lines += ["", "## Distributions", "", *_table(_NODE_HEADS, [_node_cells(line) for line in found.nodes])]
    return "\n".join(lines) + "\n"


def _failure_cells(line: FailureLine) -> tuple[str, ...]:
    return (line.node or "(the run)", f"{line.kind}: {line.phase}", line.line, line.hint, " → ".join(line.chain))


def _node_cells(line: NodeLine) -> tuple[str, ...]:
    size = str(line.size) if line.size else ""
    seconds = f"{line.seconds:.1f}" if line.seconds else ""
    return (line.name, line.version, line.status, line.file, size, seconds, line.source_url)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [_row(heads), _row(["---"] * len(heads)), *map(_row, rows)]


def _row(cells: Sequence[str]) -> str:
    escaped = (" ".join(cell.replace("\\", "\\\\").replace("|", "\\|").split()) for cell in cells)
    return "| " + " | ".join(escaped) + " |"
