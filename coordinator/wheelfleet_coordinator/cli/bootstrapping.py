"""A bootstrap from checked inputs to wheels in the user's folders."""

import asyncio
import os
from typing import NamedTuple

import msgspec
import typer

from wheelfleet_shared.core import messages as m
from wheelfleet_shared.errors import InfrastructureError
from wheelfleet_shared.names import TargetId

from ..app.cluster_files import data_folder
from .connection import Link, is_embedded, linked
from .finishing import finish, finish_single
from .inputs import Checked, require_index
from .settings import Format, Settings
from .submission import choose_targets, offered, store_inputs, submit


class Manner(NamedTuple):
    """How a run is queued. targets: asked for, empty for the native one. single: its one wheel is what is asked for."""

    targets: tuple[str, ...] = ()
    dry_run: bool = False
    detach: bool = False
    single: bool = False


def run_bootstrap(checked: Checked, manner: Manner, settings: Settings) -> int:
    """The exit status of the run, or 0 once it is queued where nobody waits for it."""
    return asyncio.run(_bootstrap(with_files_at_hand(checked, settings), manner, settings))


def with_files_at_hand(checked: Checked, settings: Settings) -> Checked:
    """Wheels and sdists of an earlier run, ours or fromager's, in the output folder spare work of the embedded cluster.

    Hashes of wheels are checked where the index in the folder states them, as ours do; sdists are taken
    only where they have the sha256 that the package index promises.
    """
    if not is_embedded(settings):
        return checked
    wheels, sdists = checked.places.wheels.absolute() / "simple", checked.places.sdists.absolute() / "downloads"
    servers = (wheels.as_uri(),) if wheels.is_dir() else ()
    folders = (sdists.as_uri(),) if sdists.is_dir() else ()
    options = msgspec.structs.replace(
        checked.options, cache_servers=(*servers, *checked.options.cache_servers), source_folders=folders
    )
    return checked._replace(options=options)


async def _bootstrap(checked: Checked, manner: Manner, settings: Settings) -> int:
    if is_embedded(settings) and checked.options.mode == "bootstrap":
        await require_index(checked)
    async with linked(settings) as link:
        on_offer = await offered(link)
        _require_sandbox(on_offer, settings)
        targets = choose_targets(manner.targets, on_offer.targets)
        if not settings.quiet and settings.format is Format.TEXT:
            # Whoever detaches wants the id alone on standard output.
            _say_first(checked, targets, on_offer, settings, link, err=manner.detach or manner.single)
        if manner.dry_run:
            from .dry_run import tell_dry_run  # it reads as much as all the rest

            return await tell_dry_run(link, checked, targets, settings)
        bundle = await store_inputs(link, checked.inputs)
        run = await submit(link, checked.into, targets, checked.requirements, checked.options, bundle)
        if manner.detach:
            typer.echo(f'{{"type":"Submitted","run":"{run}"}}' if settings.format is Format.JSON else run)
            return 0
        if manner.single:
            return await finish_single(link, run, checked.places, settings)
        options = checked.options
        plain = options.mode == "bootstrap" and not options.sdist_only and not options.multiple_versions
        installable = checked.requirements if plain else ()
        return await finish(link, run, checked.places, settings, installable)


def _require_sandbox(on_offer: m.TargetList, settings: Settings) -> None:
    """On the embedded cluster builds run without isolation only where that was said."""
    if is_embedded(settings) and "none" in on_offer.sandboxes and settings.sandbox != "none":
        raise InfrastructureError(
            "the agent has no sandbox: builds would run with your rights and your network",
            "install bubblewrap (apt-get install bubblewrap), then `wheelfleet down`; or accept it: --sandbox none",
        )


def _say_first(
    checked: Checked,
    targets: tuple[TargetId, ...],
    on_offer: m.TargetList,
    settings: Settings,
    link: Link,
    *,
    err: bool,
) -> None:
    """One line with all that will be used, and one for what was configured and is not."""
    where = str(data_folder(os.environ)) if is_embedded(settings) else link.credential.nats_url
    parts = (
        f"index {checked.choice.url} ({checked.choice.origin})",
        f"target {', '.join(targets)}",
        f"slots {on_offer.slots}",
        f"data {where}",
        f"sandbox {', '.join(on_offer.sandboxes) or 'unknown'}",
    )
    typer.echo("wheelfleet: " + "; ".join(parts), err=err)
    if checked.choice.ignored:
        typer.echo(f"ignored: {', '.join(checked.choice.ignored)}: only the one index is read", err=err)
