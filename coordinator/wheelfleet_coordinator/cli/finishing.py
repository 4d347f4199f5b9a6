"""A run watched to its end, and what follows: outputs, summary, the command to install."""

import shlex
import sys

import httpx
import msgspec
import typer
from packaging.requirements import Requirement

from wheelfleet_shared.core import messages as m
from wheelfleet_shared.names import RunId

from ..core.sequence_summary import SequenceEntry
from .connection import Link, http_url_of, is_embedded
from .places import Places
from .screens import screen_for
from .sequence_files import placed, write_sequence_summary
from .settings import Format, Settings
from .summaries import print_summary
from .watching import EXIT_CODES, watch
from .writing import fetch_listing, remove_old_failures, write_outputs


async def finish(
    link: Link, run: RunId, places: Places | None, settings: Settings, requirements: tuple[str, ...]
) -> int:
    """The exit status of a run that was watched to its end; its outputs lie in ``places``."""
    progress = await watch(link, run, screen_for(settings, settings.format))
    conflicts: tuple[str, ...] = ()
    if places is not None:
        listing = await fetch_listing(await http_url_of(link), link.credential.http_token, run)
        await write_outputs(listing, places)
        remove_old_failures(listing, places)
        conflicts = listing.conflicts
        if listing.entries:
            write_sequence_summary(listing.entries, listing.finished_at, places)
    status = EXIT_CODES[progress.status] or bool(conflicts)
    if settings.format is Format.JSON:
        sys.stdout.write(msgspec.json.encode(progress).decode() + "\n")
        return status
    print_summary(progress, settings)
    if conflicts and places is not None:
        _tell_conflicts(conflicts, places)
    if status == 0 and requirements:
        typer.echo(await _how_to_install(progress, places, requirements, embedded=is_embedded(settings)))
    return status


async def finish_single(link: Link, run: RunId, places: Places, settings: Settings) -> int:
    """The exit status of a run that builds one version; the path of its wheel is the last line."""
    progress = await watch(link, run, screen_for(settings, settings.format, stream=sys.stderr))
    listing = await fetch_listing(await http_url_of(link), link.credential.http_token, run)
    await write_outputs(listing, places)
    write_sequence_summary(listing.entries, listing.finished_at, places)
    status = EXIT_CODES[progress.status]
    if status:
        print_summary(progress, settings)
        return status
    for entry in placed(listing.entries, places):
        _tell_rebuilt(entry)
        typer.echo(entry.wheel_filename)
    return status


def _tell_rebuilt(entry: SequenceEntry) -> None:
    name = f"{entry.name}-{entry.version}"
    if entry.rebuilt == "reproduced":
        typer.echo(f"{name}: reproduced: the bytes are those that are published", err=True)
    elif entry.rebuilt == "differs":
        typer.echo(f"{name}: other bytes than those that are published; --replace publishes these", err=True)


def _tell_conflicts(conflicts: tuple[str, ...], places: Places) -> None:
    """As fromager, refuse a constraints file that pip could not use, with the lines that it could still written."""
    typer.echo("\n".join(conflicts))
    typer.echo(
        "Could not produce a pip compatible constraints file: "
        f"{places.work / 'constraints.txt'} lacks the names above.\n"
        "  next: constrain one of their consumers with -c before the command, or give --skip-constraints",
        err=True,
    )


async def _how_to_install(
    progress: m.Progress, places: Places | None, requirements: tuple[str, ...], *, embedded: bool
) -> str:
    """The command that installs what was asked for, from wheels of ours alone.

    The embedded cluster stops when it is idle, so its users get the static index that lies beside
    the wheels; so does everybody whose index asks for a token, which must not stand in a command.
    """
    url = progress.index_url
    if places is not None and (embedded or not await _is_public(url)):
        url = (places.wheels.absolute() / "simple").as_uri() + "/"
    wanted = [str(Requirement(text)) for text in requirements]
    return shlex.join(["pip", "install", "--index-url", url, "--only-binary", ":all:", *wanted])


async def _is_public(url: str) -> bool:
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=5.0) as client:
            return (await client.get(url)).is_success
    except httpx.HTTPError:
        return False
