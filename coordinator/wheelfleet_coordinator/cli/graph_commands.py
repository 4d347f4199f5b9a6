"""``wheelfleet graph``: commands about graph files, with fromager's names, arguments and answers."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .options import FormatOption
from .settings import Format, format_of, settings_of


class RequirementKind(StrEnum):
    """Why one distribution is required by another."""

    INSTALL = "install"
    TOPLEVEL = "toplevel"
    BUILD_SYSTEM = "build-system"
    BUILD_BACKEND = "build-backend"
    BUILD_SDIST = "build-sdist"


class TableFormat(StrEnum):
    """A table for people, or JSON for machines."""

    TABLE = "table"
    JSON = "json"


GraphArgument = Annotated[str, typer.Argument(metavar="GRAPH_FILE", help="graph.json: file or URL.")]
NameArgument = Annotated[str, typer.Argument(metavar="PACKAGE_NAME", help="A distribution.")]
OutputFileOption = Annotated[Path | None, typer.Option("--output", "-o", help="File to write instead of the terminal.")]


def register(app: typer.Typer) -> None:
    """The commands are part of the application, as a group."""
    group = typer.Typer(
        name="graph",
        help="Work with graph files.",
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for command in (to_constraints, to_dot, why, explain_duplicates, subset, build_graph, find_best_fit, migrate_graph):
        group.command()(command)
    app.add_typer(group)


def to_constraints(graph_file: GraphArgument, output: OutputFileOption = None) -> None:
    """Print one version of each distribution that the graph installs, for pip's -c; ends with 1 where that is none."""
    from .graph_answers import print_constraints

    raise typer.Exit(print_constraints(graph_file, output))


def to_dot(
    invocation: typer.Context,
    graph_file: GraphArgument,
    output: OutputFileOption = None,
    install_only: Annotated[
        bool, typer.Option("--install-only", help="Leave out what is needed only to build.")
    ] = False,
    overrides_only: Annotated[
        bool, typer.Option("--overrides-only", help="Only distributions with settings, patches or plugins.")
    ] = False,
) -> None:
    """Draw a graph as a DOT file for graphviz."""
    from .graph_answers import print_dot

    print_dot(settings_of(invocation), graph_file, output, install_only=install_only, changed_only=overrides_only)


def why(
    invocation: typer.Context,
    graph_file: GraphArgument,
    name: NameArgument,
    versions: Annotated[
        list[str] | None, typer.Option("--version", help="Only this version of it; may be repeated.")
    ] = None,
    depth: Annotated[int, typer.Option(help="Levels to go further up; -1 for all.")] = 0,
    kinds: Annotated[
        list[RequirementKind] | None,
        typer.Option("--requirement-type", help="Only requirements of this kind; may be repeated."),
    ] = None,
    output_format: FormatOption = None,
) -> None:
    """Say who needs a distribution in a graph file, and who needs these."""
    from .graph_answers import print_why

    chosen = format_of(invocation, output_format)
    print_why(graph_file, name, tuple(versions or ()), depth, [kind.value for kind in kinds or ()], chosen)


def explain_duplicates(
    invocation: typer.Context, graph_file: GraphArgument, output_format: FormatOption = None
) -> None:
    """Report what is installed in several versions, and where they come from."""
    from .graph_answers import print_duplicates

    print_duplicates(graph_file, format_of(invocation, output_format))


def subset(
    graph_file: GraphArgument,
    name: NameArgument,
    output: OutputFileOption = None,
    version: Annotated[str, typer.Option(help="Only this version of it.")] = "",
    dependencies_only: Annotated[bool, typer.Option("--dependencies-only", help="Without what depends on it.")] = False,
    dependents_only: Annotated[bool, typer.Option("--dependents-only", help="Without what it depends on.")] = False,
) -> None:
    """Print the part of a graph that one distribution has to do with, as a graph."""
    from .graph_answers import print_subset

    if dependencies_only and dependents_only:
        raise typer.BadParameter("--dependencies-only and --dependents-only exclude each other")
    print_subset(graph_file, name, version, output, dependencies=not dependents_only, dependents=not dependencies_only)


def build_graph(invocation: typer.Context, graph_file: GraphArgument, output_format: FormatOption = None) -> None:
    """Show which builds of a graph can run side by side."""
    from .graph_answers import print_rounds

    print_rounds(settings_of(invocation), graph_file, format_of(invocation, output_format))


def find_best_fit(
    invocation: typer.Context,
    onboarding_graph: Annotated[str, typer.Argument(help="graph.json of what is to be taken in.")],
    collection_graphs: Annotated[list[str], typer.Argument(help="graph.json of collections; named by their files.")],
    output_format: Annotated[
        TableFormat | None, typer.Option("--format", help="table, or json for machines.", case_sensitive=False)
    ] = None,
) -> None:
    """Say for each requirement of a graph which collection has most of what it needs."""
    from .graph_answers import print_best_fit

    settings = settings_of(invocation)
    json = (output_format or settings.format) in {TableFormat.JSON, Format.JSON}
    print_best_fit(settings, onboarding_graph, collection_graphs, json=json)


def migrate_graph(graph_file: GraphArgument, output: OutputFileOption = None) -> None:
    """Turn a graph file of fromager's first format into today's."""
    from .graph_answers import print_migrated

    print_migrated(graph_file, output)
