"""Commands about runs as a whole: ``runs``, ``show``, ``wait``, ``cancel``, ``retry``."""

from typing import Annotated

import typer

from .options import FormatOption, OutputOption, QuietOption, RunArgument
from .settings import format_of, settings_of


def register(app: typer.Typer) -> None:
    """The commands are part of the application."""
    for command in (runs, show, wait, cancel, retry):
        app.command()(command)


def runs(
    invocation: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 20,
    output_format: FormatOption = None,
) -> None:
    """List the runs, newest first."""
    from .run_commands import list_runs

    list_runs(settings_of(invocation), format_of(invocation, output_format), limit)


def show(invocation: typer.Context, run: RunArgument, output_format: FormatOption = None) -> None:
    """Show how far a run is, what it waits for and what failed."""
    from .run_commands import show_run

    show_run(settings_of(invocation), format_of(invocation, output_format), run)


def wait(
    invocation: typer.Context,
    run: RunArgument,
    output_dir: OutputOption = None,
    quiet: QuietOption = False,
    output_format: FormatOption = None,
) -> None:
    """Watch a run until it ends, and end with its status; with an output folder, write its outputs there."""
    from .run_commands import wait_for

    settings = settings_of(invocation).changed(output_dir, quiet, format_of(invocation, output_format))
    raise typer.Exit(wait_for(settings, run))


def cancel(
    invocation: typer.Context,
    run: RunArgument,
    reason: Annotated[str, typer.Option(help="Recorded with the request.")] = "",
) -> None:
    """Cancel a run; builds that other runs want go on."""
    from .run_commands import cancel_run

    cancel_run(settings_of(invocation), run, reason)


def retry(
    invocation: typer.Context,
    run: RunArgument,
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="Only this distribution.", show_default=False)] = "",
    output_dir: OutputOption = None,
    quiet: QuietOption = False,
    detach: Annotated[bool, typer.Option("--detach", help="Queue it, print the new run's id, and end.")] = False,
    output_format: FormatOption = None,
) -> None:
    """Queue the same again, with the same inputs: what failed is tried again, what is there is taken over."""
    from .run_commands import retry_run

    settings = settings_of(invocation).changed(output_dir, quiet, format_of(invocation, output_format))
    raise typer.Exit(retry_run(settings, run, name, detach=detach))
