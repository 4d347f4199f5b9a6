"""Commands that read the log itself: ``events``, ``export``, ``replay``."""

from pathlib import Path
from typing import Annotated

import typer

from .options import FormatOption, OutputOption
from .settings import format_of, settings_of


def register(app: typer.Typer) -> None:
    """The commands are part of the application."""
    for command in (events, export, replay):
        app.command()(command)


def events(
    invocation: typer.Context,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is appended from now on.")] = False,
    since: Annotated[int, typer.Option(min=0, help="Only events after this sequence.")] = 0,
    output_format: FormatOption = None,
) -> None:
    """Print the events of the log, one a line."""
    from .history import print_events

    print_events(settings_of(invocation), format_of(invocation, output_format), since, follow=follow)


def export(
    invocation: typer.Context,
    file: Annotated[Path | None, typer.Option("--to-file", help="Instead of standard output.")] = None,
) -> None:
    """Print the whole log as JSON lines, for `replay --from-export`."""
    from .history import export_log

    export_log(settings_of(invocation), file)


def replay(
    invocation: typer.Context,
    output_dir: OutputOption = None,
    from_export: Annotated[Path | None, typer.Option(help="Lines that `export` wrote, instead of the log.")] = None,
    to: Annotated[int | None, typer.Option(min=1, help="Last sequence to fold; default: the end.")] = None,
    run: Annotated[str, typer.Option(help="Run whose outputs to write; default: the newest.")] = "",
) -> None:
    """Fold the log anew and write the outputs that follow from it."""
    from .history import replay_log

    settings = settings_of(invocation)
    replay_log(settings, output_dir or settings.output_dir, from_export, to, run)
