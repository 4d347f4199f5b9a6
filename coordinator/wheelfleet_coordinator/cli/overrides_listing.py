"""``list-overrides``: what the user's overrides change."""

import io
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .settings import Settings, settings_of


class Shape(StrEnum):
    """How the details are printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """The command is part of the application."""
    app.command("list-overrides")(list_overrides)


def list_overrides(
    invocation: typer.Context,
    details: Annotated[bool, typer.Option("--details", help="Versions, patches, variants and functions, too.")] = False,
    shape: Annotated[
        Shape, typer.Option("--format", case_sensitive=False, help="Of --details: table, csv or json.")
    ] = Shape.TABLE,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write instead of the terminal.")
    ] = None,
) -> None:
    """List the distributions that settings, patches or plugins change."""
    from .reading import put_text

    put_text(_text(settings_of(invocation), shape if details else None, output), output)


def _text(settings: Settings, shape: Shape | None, output: Path | None) -> str:
    from ..adapters.customisation_files import read_customisation
    from ..core.customising import Customised
    from ..core.indented_json import indented_json
    from ..core.override_rows import cells, overridden_names, override_csv, override_rows, variant_names

    customised = Customised.parse(read_customisation(settings.overrides, settings.variant))
    if shape is None:
        return "".join(f"{name}\n" for name in overridden_names(customised))
    rows, variants = override_rows(customised), variant_names(customised)
    if shape is Shape.JSON:
        return indented_json([cells(row) for row in rows])
    if shape is Shape.CSV:
        return override_csv(rows, variants)
    return _table([cells(row) for row in rows], variants, settings, output)


def _table(rows: list[dict[str, str]], variants: list[str], settings: Settings, output: Path | None) -> str:
    """The table as it looks where it goes."""
    from rich.console import Console
    from rich.table import Table

    from ..core.override_rows import columns

    heads = {"package": "Package", "version": "Version", "patches": "Patches", "plugin_hooks": "Plugin"}
    table = Table(title="Package Overrides")
    for name in columns(variants):
        head = heads.get(name, "Min Release Age (days)" if name == "min_release_age" else name)
        table.add_column(head, justify="left", no_wrap=name != "plugin_hooks")
    for row in rows:
        table.add_row(*(row.get(name, "") for name in columns(variants)))
    out = io.StringIO()
    console = Console(file=out, width=120) if output else Console(file=out, no_color=not settings.color)
    console.print(table)
    return out.getvalue()
