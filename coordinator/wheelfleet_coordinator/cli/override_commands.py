"""Commands about a user's overrides: settings, patches, plugins."""

import typer

from .options import FormatOption
from .settings import format_of, settings_of


def register(app: typer.Typer) -> None:
    """The commands are part of the application."""
    app.command()(lint)


def lint(invocation: typer.Context, output_format: FormatOption = None) -> None:
    """Check settings, patches and plugins, function by function; ends with 1 where something is wrong."""
    from .override_answers import print_override_lint

    raise typer.Exit(print_override_lint(settings_of(invocation), format_of(invocation, output_format)))
