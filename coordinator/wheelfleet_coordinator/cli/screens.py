"""Progress on a terminal, as plain lines, or not at all."""

import sys
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from wheelfleet_shared.core import messages as m

from ..core.printable import printable
from .settings import Format, Settings
from .watching import Screen

WAITS_SHOWN = 5
"""Groups of waiting nodes in the live view."""
UNFOLDED = 1000
"""Columns of an output that nobody looks at in a window."""


class Silence:
    """Shows nothing."""

    def show(self, progress: m.Progress) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class PlainLines:
    """One line a milestone."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._told: set[str] = set()

    def show(self, progress: m.Progress) -> None:
        """The milestones as lines, and each hindrance once."""
        for line in hindrances(progress):
            if line not in self._told:
                self._told.add(line)
                self._stream.write(f"{line}\n")
        for milestone in progress.milestones:
            self._stream.write(f"{printable(milestone.text)}\n")
        self._stream.flush()

    def close(self) -> None:
        """Nothing is held back."""


class LiveView:
    """Milestones scroll by; below them counts, slots and waits are kept up to date."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, refresh_per_second=4, transient=True)
        self._live.start()

    def show(self, progress: m.Progress) -> None:
        """The view as of now."""
        for milestone in progress.milestones:
            self._live.console.print(Text(printable(milestone.text)))
        self._live.update(_view(progress))

    def close(self) -> None:
        """The terminal is as it was, below the milestones."""
        self._live.stop()


def screen_for(settings: Settings, chosen: Format, stream: TextIO | None = None) -> Screen:
    """The screen that fits where the output goes; lines alone where that is not standard output."""
    if settings.quiet or chosen is Format.JSON:
        return Silence()
    if stream is None and sys.stdout.isatty():
        return LiveView(console_for(settings))
    return PlainLines(stream or sys.stdout)


def console_for(settings: Settings) -> Console:
    """Standard output with or without colours; tables are left whole where it is no terminal."""
    width = None if sys.stdout.isatty() else UNFOLDED
    return Console(no_color=not settings.color, highlight=False, soft_wrap=True, width=width)


def _view(progress: m.Progress) -> Group:
    parts: list[Table | Text] = [_counts(progress)]
    if progress.slots:
        parts.append(_slots(progress))
    parts.extend(Text(line, style="dim") for line in wait_lines(progress))
    parts.extend(Text(line, style="red") for line in hindrances(progress))
    parts.append(Text(_times(progress), style="bold"))
    return Group(*parts)


def wait_lines(progress: m.Progress) -> list[str]:
    """What most nodes wait for, and how many wait for the rest."""
    hidden = sum(group.nodes for group in progress.waits[WAITS_SHOWN:])
    rest = [f"{hidden} more {'waits' if hidden == 1 else 'wait'} for other things"] if hidden else []
    return [*(group.text for group in progress.waits[:WAITS_SHOWN]), *rest]


def hindrances(progress: m.Progress) -> list[str]:
    """What does not go on by itself, or goes on only after a fault."""
    return [*progress.lacking, *(f"{printable(trouble)}; it is being tried again" for trouble in progress.troubles)]


def _counts(progress: m.Progress) -> Table:
    table = Table(box=None, pad_edge=False)
    for head in ("target", "built", "taken over", "running", "waiting", "failed"):
        table.add_column(head, justify="left" if head == "target" else "right")
    for row in progress.counts:
        cells = (row.built, row.taken_over, row.running, row.waiting, row.failed)
        table.add_row(row.target, *(str(cell) for cell in cells))
    return table


def _slots(progress: m.Progress) -> Table:
    table = Table(box=None, pad_edge=False)
    for head in ("agent", "builds", "goal", "phase", "for"):
        table.add_column(head)
    for row in progress.slots:
        table.add_row(row.agent, row.node, row.goal, row.phase, in_words(row.seconds))
    return table


def _times(progress: m.Progress) -> str:
    left = f", about {in_words(progress.remaining)} to go" if progress.remaining >= 0 else ""
    return f"{progress.status} for {in_words(progress.elapsed)}{left}"


def in_words(seconds: float) -> str:
    """As in ``7 s``, ``3 min 20 s``, ``2 h 05 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"
