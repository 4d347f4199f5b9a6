"""What the commands about runs do."""

import asyncio
import datetime as dt
import sys

import msgspec
import typer
from packaging.utils import canonicalize_name
from rich.table import Table

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core import messages as m
from wheelfleet_shared.core.envelope import Aggregate
from wheelfleet_shared.errors import InfrastructureError, InputError
from wheelfleet_shared.names import RunId

from ..core.printable import printable
from .connection import Link, linked
from .finishing import finish
from .places import places_of
from .screens import console_for, hindrances, in_words
from .settings import Format, Settings
from .submission import submit
from .summaries import failure_lines
from .watching import ENDED

CANCEL_TRIES = 5
"""How often a cancel is appended again after events came in between."""
MOST_RUNS = 100_000


def list_runs(settings: Settings, chosen: Format, limit: int) -> None:
    """The runs are printed."""

    async def work() -> m.RunList:
        async with linked(settings) as link:
            return await link.ask(m.Runs(limit), m.RunList)

    found = asyncio.run(work())
    if chosen is Format.JSON:
        print_json(found)
        return
    table = Table(box=None, pad_edge=False)
    for head in ("run", "status", "submitted", "took", "index", "good", "failed", "open", "requirements"):
        table.add_column(head, overflow="fold", no_wrap=head != "requirements")
    for row in found.runs:
        table.add_row(*_cells(row))
    console_for(settings).print(table)


def _cells(row: m.RunRow) -> tuple[str, ...]:
    took = in_words(row.finished_at - row.submitted_at) if row.finished_at else ""
    counts = (str(row.succeeded), str(row.failed), str(row.open))
    return (row.run, row.status, at_in_words(row.submitted_at), took, row.index, *counts, " ".join(row.requirements))


def show_run(settings: Settings, chosen: Format, run: str) -> None:
    """A run as it is now is printed."""

    async def work() -> m.Progress:
        async with linked(settings) as link:
            return await link.ask(m.ProgressAsk(await find_run(link, run)), m.Progress)

    progress = asyncio.run(work())
    if chosen is Format.JSON:
        print_json(progress)
        return
    typer.echo(f"run {progress.run}: {progress.status}, {in_words(progress.elapsed)}; index {progress.index_url}")
    for counts in progress.counts:
        parts = ("built", "taken_over", "running", "waiting", "failed")
        told = ", ".join(f"{getattr(counts, part)} {part.replace('_', ' ')}" for part in parts)
        typer.echo(f"  {counts.target}: {told}")
    for milestone in progress.milestones:
        typer.echo(f"  {printable(milestone.text)}")
    for slot in progress.slots:
        typer.echo(f"  {slot.agent}: {slot.node} ({slot.goal}), {slot.phase} for {in_words(slot.seconds)}")
    for line in hindrances(progress):
        typer.echo(f"trouble: {line}")
    for group in progress.waits:
        typer.echo(f"  {group.text}")
    for failure in progress.failures:
        typer.echo("\n".join(failure_lines(failure)))


def wait_for(settings: Settings, run: str) -> int:
    """The exit status of a run that was watched to its end; its outputs are written where a folder was named."""
    places = places_of(settings) if settings.output_dir is not None else None

    async def work() -> int:
        async with linked(settings) as link:
            return await finish(link, await find_run(link, run), places, settings, ())

    return asyncio.run(work())


def cancel_run(settings: Settings, run: str, reason: str) -> None:
    """The request is in the log; raises InputError for a run that has ended."""

    async def work() -> RunId:
        async with linked(settings) as link:
            found = await find_run(link, run)
            await _cancel(link, found, reason)
            return found

    typer.echo(f"{asyncio.run(work())} will be cancelled")


async def _cancel(link: Link, run: RunId, reason: str) -> None:
    aggregate = Aggregate("run", run)
    for _ in range(CANCEL_TRIES):
        history = await link.log.read_aggregate(aggregate)
        if any(isinstance(recorded.event, e.RunFinished) for recorded in history):
            raise InputError(f"run {run} has ended already", f"see `wheelfleet show {run}`")
        if await link.append(aggregate, history[-1].sequence, e.RunCancelRequested(reason)):
            return
    raise InfrastructureError(f"run {run} moves too fast to be cancelled now", "try again")


def retry_run(settings: Settings, run: str, name: str, *, detach: bool) -> int:
    """The exit status of a new run with the old one's inputs."""
    places = places_of(settings)

    async def work() -> int:
        async with linked(settings) as link:
            old = await find_run(link, run)
            submitted = await _submitted(link, old)
            requirements = (await _pinned(link, old, name),) if name else submitted.requirements
            new = await submit(
                link, submitted.index, submitted.targets, requirements, submitted.options, submitted.bundle
            )
            if detach:
                typer.echo(new)
                return 0
            return await finish(link, new, places, settings, requirements)

    return asyncio.run(work())


async def _submitted(link: Link, run: RunId) -> e.RunSubmitted:
    progress = await link.ask(m.ProgressAsk(run), m.Progress)
    if progress.status not in ENDED:
        raise InputError(f"run {run} is {progress.status}", f"wait for it, or `wheelfleet cancel {run}`")
    for recorded in await link.log.read_aggregate(Aggregate("run", run)):
        if isinstance(recorded.event, e.RunSubmitted):
            return recorded.event
    raise InfrastructureError(f"the log does not hold the submission of {run}", "see `wheelfleet doctor`")


async def _pinned(link: Link, run: RunId, name: str) -> str:
    """The requirement for what failed under that name in the run, at its version."""
    wanted = canonicalize_name(name.partition("==")[0])
    progress = await link.ask(m.ProgressAsk(run), m.Progress)
    for row in progress.failures:
        if canonicalize_name(row.node.partition("==")[0]) == wanted:
            return row.node
    failed = ", ".join(row.node for row in progress.failures) or "nothing"
    raise InputError(f"{name} did not fail in run {run}", f"failed there: {failed}")


async def find_run(link: Link, text: str) -> RunId:
    """The run whose id is, or alone starts with, the text; raises InputError."""
    found = [row.run for row in (await link.ask(m.Runs(MOST_RUNS), m.RunList)).runs]
    if text in found:
        return RunId(text)
    fitting = [run for run in found if text and run.startswith(text)]
    if len(fitting) == 1:
        return fitting[0]
    what = f"{len(fitting)} runs start with {text}" if fitting else f"there is no run {text}"
    raise InputError(what, "`wheelfleet runs` lists them")


def at_in_words(at: float) -> str:
    """Local time, to the second."""
    return dt.datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def print_json(document: object) -> None:
    """One line of JSON on standard output."""
    sys.stdout.write(msgspec.json.encode(document).decode() + "\n")
