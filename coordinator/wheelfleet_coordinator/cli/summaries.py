"""The end of a run, for people."""

from rich.table import Table
from rich.text import Text

from wheelfleet_shared.core import messages as m

from ..core.printable import printable
from .screens import console_for, in_words
from .settings import Settings


def print_summary(progress: m.Progress, settings: Settings) -> None:
    """Counts per target, then each failure with all that is known of it."""
    console = console_for(settings)
    table = Table(box=None, pad_edge=False)
    for head in ("target", "built", "taken over", "failed"):
        table.add_column(head, justify="left" if head == "target" else "right")
    for row in progress.counts:
        table.add_row(row.target, str(row.built), str(row.taken_over), str(row.failed))
    console.print(table)
    for failure in progress.failures:
        for line in failure_lines(failure):
            console.print(Text(line))
    console.print(Text(f"run {progress.run} {progress.status} after {in_words(progress.elapsed)}"))


def failure_lines(failure: m.FailureRow) -> list[str]:
    """What a person needs: what, where, the line that matters, the end of the log, who needs it, what to do."""
    lines = [
        "",
        f"FAILED {failure.node} on {failure.target} ({failure.phase}, {failure.kind})",
        f"  {failure.line}",
        *(f"  | {line}" for line in failure.tail),
    ]
    if failure.hint:
        lines.append(f"  hint: {failure.hint}")
    if len(failure.chain) > 1:
        lines.append(f"  needed by: {' → '.join(failure.chain)}")
    if failure.reproduce:
        lines.append(f"  reproduce: {failure.reproduce}")
    return [printable(line) for line in lines]
