"""What the commands that read the log do."""

import asyncio
import datetime as dt
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import aclosing
from pathlib import Path

import msgspec
import typer

from wheelfleet_shared.core.envelope import Recorded, Unknown
from wheelfleet_shared.errors import InfrastructureError, InputError
from wheelfleet_shared.names import RunId

from ..core.exported import export_line, import_line
from ..core.outputs import run_outputs
from ..core.world import World
from .connection import ClusterStopped, Link, linked
from .places import places_of
from .settings import Format, Settings
from .writing import place_of

_SHOWN = 100
"""Characters of an event's body in one line."""


def print_events(settings: Settings, chosen: Format, since: int, *, follow: bool) -> None:
    """The events after ``since`` are printed, and with ``follow`` those to come.

    Raises InfrastructureError, which names the way to go on, once the cluster was stopped.
    """
    shown = since

    async def show(link: Link) -> None:
        nonlocal shown
        async with aclosing(link.log.tail(since) if follow else link.log.read(since)) as chunks:
            async for chunk in chunks:
                for recorded in chunk:
                    line = export_line(recorded).decode() if chosen is Format.JSON else event_line(recorded)
                    sys.stdout.write(line + "\n")
                sys.stdout.flush()
                shown = chunk[-1].sequence if chunk else shown

    async def work() -> None:
        async with linked(settings) as link:
            await link.unless_stopped(show(link))

    try:
        asyncio.run(work())
    except ClusterStopped as error:
        step = f"start it again and go on: wheelfleet events --follow --since {shown}"
        raise InfrastructureError(error.what, step) from error


def event_line(recorded: Recorded) -> str:
    """Sequence, time in UTC, actor, aggregate, kind and the beginning of the body."""
    event = recorded.event
    kind = event.kind if isinstance(event, Unknown) else type(event).__name__
    body = event.raw if isinstance(event, Unknown) else msgspec.json.encode(event)
    moment = dt.datetime.fromtimestamp(recorded.envelope.at, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S")
    place = f"{recorded.aggregate.kind}/{recorded.aggregate.id}"
    return f"{recorded.sequence} {moment}Z {recorded.actor} {place} {kind} {body.decode(errors='replace')[:_SHOWN]}"


def export_log(settings: Settings, file: Path | None) -> None:
    """Every event up to now stands in the file, or on standard output."""

    async def work() -> None:
        with sys.stdout.buffer if file is None else file.open("wb") as out:
            async with linked(settings) as link, aclosing(link.log.read()) as chunks:
                async for chunk in chunks:
                    out.writelines(export_line(recorded) + b"\n" for recorded in chunk)
            out.flush()

    asyncio.run(work())


def replay_log(settings: Settings, output_dir: Path | None, source: Path | None, to: int | None, run: str) -> None:
    """The outputs of a run, as they follow from the events up to ``to``, lie in the folder; no wheels or sdists.

    Raises InputError without a folder: it must not write over a run's outputs unasked.
    """
    if output_dir is None:
        raise InputError("no folder is named for the outputs", "name one: `wheelfleet replay -O FOLDER`")
    places = places_of(msgspec.structs.replace(settings, output_dir=output_dir))
    world = fold(_read_export(source), to) if source is not None else asyncio.run(_fold_log(settings, to))
    chosen = _choose_run(world, run)
    texts = _texts(world, chosen)
    for path, content in texts.items():
        place = place_of(path, places)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    typer.echo(f"{len(texts)} files of run {chosen}, as of event {world.through}, written to {output_dir}")


def _texts(world: World, run: RunId) -> Mapping[str, bytes]:
    try:
        return run_outputs(world, run).texts
    except ValueError as error:  # of a version or a requirement that no event of ours would hold
        raise InputError(f"the events of run {run} cannot be: {error}", "give lines that `export` wrote") from error


def fold(events: Iterable[Recorded], to: int | None) -> World:
    """The world after the events up to the sequence ``to``, or after all."""
    world = World()
    for recorded in events:
        if to is not None and recorded.sequence > to:
            break
        world.apply(recorded)
    return world


async def _fold_log(settings: Settings, to: int | None) -> World:
    world = World()
    async with linked(settings) as link, aclosing(link.log.read(until=to)) as chunks:
        async for chunk in chunks:
            for recorded in chunk:
                world.apply(recorded)
    return world


def _read_export(source: Path) -> Iterator[Recorded]:
    try:
        with source.open("rb") as lines:
            last = 0
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    recorded = import_line(line, number)
                    _require_later(recorded, last, number)
                    last = recorded.sequence
                    yield recorded
    except OSError as error:
        raise InputError(f"cannot read {source}: {error.strerror}", "correct its name") from error


def _require_later(recorded: Recorded, last: int, number: int) -> None:
    """Raises InputError for an event that does not come after the one before it: folding these means nothing."""
    if recorded.sequence <= last:
        raise InputError(
            f"line {number} has sequence {recorded.sequence}, and the line before it {last}",
            "give the lines as `export` wrote them",
        )


def _choose_run(world: World, text: str) -> RunId:
    runs = [run for run, state in world.runs.items() if state.submitted is not None]
    if not runs:
        raise InputError("no run was submitted up to there", "give a later --to")
    if not text:
        return runs[-1]
    fitting = [run for run in runs if run.startswith(text)]
    if len(fitting) != 1:
        raise InputError(f"{len(fitting)} runs start with {text}", f"the log has: {', '.join(runs)}")
    return fitting[0]
