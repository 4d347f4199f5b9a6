"""What ``wheelfleet simulate`` does."""

from collections.abc import Sequence
from pathlib import Path

import typer
from rich.table import Table

from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import TargetId

from ..core.fleet_file import read_fleet
from ..core.fleet_report import FleetReport, fleet_report, read_durations, report_lines
from ..core.graph_file import read_graph
from ..core.simulated_work import Measured, work_of
from .run_commands import print_json
from .screens import console_for, in_words
from .settings import Format, Settings


def print_simulation(
    settings: Settings, graph: Path, fleet: Path, durations: Sequence[Path], targets: Sequence[str], chosen: Format
) -> None:
    """The report of a fleet that builds the graph is printed; raises InputError for files that cannot be read."""
    measured: dict[str, Measured] = {}
    for path in durations:
        measured |= read_durations(_text(path), str(path))
    described = read_fleet(_text(fleet), str(fleet))
    work = work_of(read_graph(_text(graph)), described, measured, tuple(map(TargetId, targets)))
    report = fleet_report(work, described)
    if chosen is Format.JSON:
        print_json(report)
        return
    typer.echo("\n".join(report_lines(report)))
    console_for(settings).print(_table(report))


def _table(report: FleetReport) -> Table:
    table = Table(box=None, pad_edge=False)
    for head in ("agents", "count", "slots", "busy", "one more saves"):
        table.add_column(head, overflow="fold")
    for kind in report.kinds:
        saved = in_words(kind.one_more) if kind.one_more else "nothing"
        table.add_row(kind.name, str(kind.count), str(kind.slots), f"{kind.busy:.0%}", saved)
    return table


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
