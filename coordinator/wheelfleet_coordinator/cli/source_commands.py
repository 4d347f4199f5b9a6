"""Commands that carry sources out and wheels in: ``export-sources``, ``import-wheels``."""

from pathlib import Path
from typing import Annotated

import typer

from .options import RunArgument
from .settings import settings_of


def register(app: typer.Typer) -> None:
    """The commands are part of the application."""
    app.command("export-sources")(export_sources)


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
