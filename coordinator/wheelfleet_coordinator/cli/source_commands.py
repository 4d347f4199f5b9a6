"""Commands that carry sources out and wheels in: ``export-sources``, ``import-wheels``."""

from pathlib import Path
from typing import Annotated

import typer

from .common_options import takes_settings
from .options import CollectionOption, RunArgument, TargetsOption
from .settings import Settings, settings_of


def register(app: typer.Typer) -> None:
    """The commands are part of the application."""
    app.command("export-sources")(export_sources)
    app.command("import-wheels")(import_wheels)


def export_sources(
    invocation: typer.Context,
    run: RunArgument,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write; what lies there right stays.")],
) -> None:
    """Write all sources of a run into a folder that is an index, to build them where there is no network.

    There: wheelfleet bootstrap --index-url file:///DIR/simple --index-only REQUIREMENT
    """
    from .exporting import export_run_sources

    raise typer.Exit(export_run_sources(settings_of(invocation), run, folder))


@takes_settings
def import_wheels(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A wheels-repo, of fromager or ours, or any folder.")],
    collection: CollectionOption = "main",
    targets: TargetsOption = None,
    *,
    settings: Settings,
) -> None:
    """Publish wheels that were built before, as if taken over; a file name that is taken keeps its bytes.

    Each is checked first. Those that tell what it took to build them serve later builds of their version and
    build tag, from whatever source; the others serve where settings say pre_built.
    """
    from .importing import import_folder

    raise typer.Exit(import_folder(settings, folder, collection, tuple(targets or ())))
