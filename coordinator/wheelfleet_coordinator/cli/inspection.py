"""Commands that look into a run: ``explain``, ``why``, ``logs``, ``shell``, ``diff``."""

from typing import Annotated

import typer

from .options import FormatOption, NameArgument, RunArgument
from .settings import format_of, settings_of


def register(app: typer.Typer) -> None:
    """The commands are part of the application."""
    for command in (explain, why, logs, shell, diff):
        app.command()(command)


def explain(
    invocation: typer.Context, run: RunArgument, name: NameArgument, output_format: FormatOption = None
) -> None:
    """Say why a distribution stands where it stands, what it waits for, and why it has this version."""
    from .inspecting import print_explanation

    print_explanation(settings_of(invocation), format_of(invocation, output_format), run, name)


def why(invocation: typer.Context, run: RunArgument, name: NameArgument, output_format: FormatOption = None) -> None:
    """Say who needs a distribution."""
    from .inspecting import print_why

    print_why(settings_of(invocation), format_of(invocation, output_format), run, name)


def logs(
    invocation: typer.Context,
    run: RunArgument,
    name: NameArgument,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with the build that runs.")] = False,
    output_format: FormatOption = None,
) -> None:
    """Print the logs of a distribution's builds."""
    from .inspecting import print_logs

    print_logs(settings_of(invocation), format_of(invocation, output_format), run, name, follow=follow)


def shell(invocation: typer.Context, run: RunArgument, name: NameArgument) -> None:
    """Open a shell in the locked environment of a build, in its unpacked source."""
    from .opening import open_shell

    raise typer.Exit(open_shell(settings_of(invocation), run, name))


def diff(
    invocation: typer.Context,
    old: Annotated[str, typer.Argument(metavar="RUN|GRAPH", help="A run, or a graph.json.")],
    new: Annotated[str, typer.Argument(metavar="RUN|GRAPH", help="A run, or a graph.json.")],
    output_format: FormatOption = None,
) -> None:
    """Compare what two runs or graph files hold; ends with 1 where they differ."""
    from .inspecting import print_difference

    raise typer.Exit(print_difference(settings_of(invocation), format_of(invocation, output_format), old, new))
