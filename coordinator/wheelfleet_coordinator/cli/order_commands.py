"""``wheelfleet build-order``: commands about build-order files, as fromager has them."""

from pathlib import Path
from typing import Annotated

import typer

from .options import FormatOption
from .settings import format_of

_OutputFile = Annotated[Path | None, typer.Option("--output", "-o", help="File to write instead of the terminal.")]


def register(app: typer.Typer) -> None:
    """The commands are part of the application, as a group."""
    group = typer.Typer(
        name="build-order",
        help="Work with build-order files.",
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    group.command()(as_csv)
    group.command()(summary)
    app.add_typer(group)


def as_csv(
    invocation: typer.Context,
    build_order_file: Annotated[str, typer.Argument(help="build-order.json: file or URL.")],
    output: _OutputFile = None,
    graph: Annotated[str, typer.Option(help="graph.json that tells the kinds of requirements.")] = "",
    output_format: FormatOption = None,
) -> None:
    """Print a build order as a table in CSV; only old files or a graph tell the kinds of requirements."""
    from .order_answers import print_order

    print_order(build_order_file, graph, output, format_of(invocation, output_format))


def summary(
    invocation: typer.Context,
    build_order_files: Annotated[list[str], typer.Argument(help="build-order.json files, each in a folder.")],
    output: _OutputFile = None,
    output_format: FormatOption = None,
) -> None:
    """Print which versions some build orders hold, side by side in CSV; columns are named by the files' folders."""
    from .order_answers import print_summary

    print_summary(build_order_files, output, format_of(invocation, output_format))
