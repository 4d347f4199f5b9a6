"""Commands about requirements files and names, as fromager has them."""

from pathlib import Path
from typing import Annotated

import typer

from .options import FormatOption
from .settings import format_of, settings_of

_Requirements = Annotated[str, typer.Argument(metavar="REQUIREMENTS", help="requirements.txt: file or URL.")]
_Graph = Annotated[str, typer.Argument(metavar="GRAPH_FILE", help="graph.json: file or URL.")]


def register(app: typer.Typer) -> None:
    """The commands are part of the application."""
    for command in (minimize, stats, lint_requirements, canonicalize):
        app.command()(command)


def minimize(
    invocation: typer.Context,
    requirements: _Requirements,
    graph_file: _Graph,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write instead of the terminal.")
    ] = None,
    output_format: FormatOption = None,
) -> None:
    """Print requirements without those that the others bring in; pins are kept."""
    from .file_answers import print_minimal

    print_minimal(requirements, graph_file, output, format_of(invocation, output_format))


def stats(
    invocation: typer.Context, requirements: _Requirements, graph_file: _Graph, output_format: FormatOption = None
) -> None:
    """Count what a collection is made of: constrained, prebuilt, with settings, patches, plugins."""
    from .file_answers import print_stats

    print_stats(settings_of(invocation), requirements, graph_file, format_of(invocation, output_format))


def lint_requirements(
    invocation: typer.Context,
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="requirements.txt and constraints.txt files.")],
    resolve: Annotated[
        bool,
        typer.Option(
            "--resolve-requirements/--no-resolve-requirements", help="See whether each has a version on the index."
        ),
    ] = False,
    output_format: FormatOption = None,
) -> None:
    """Check requirements files, and constraints files by their names; ends with 1 where something is wrong."""
    from .file_answers import print_lint

    raise typer.Exit(print_lint(settings_of(invocation), files, format_of(invocation, output_format), resolve=resolve))


def canonicalize(
    names: Annotated[list[str], typer.Argument(metavar="DIST_NAME", help="Names of distributions.")],
) -> None:
    """Print the names as files and folders of overrides bear them."""
    from .file_answers import print_override_names

    print_override_names(names)
