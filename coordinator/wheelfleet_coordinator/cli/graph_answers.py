"""What the commands about graph files do."""

import sys
from collections.abc import Sequence
from pathlib import Path, PurePath

from packaging.version import InvalidVersion, Version
from rich.box import MARKDOWN
from rich.table import Table

from wheelfleet_shared.core.events import EdgeKind
from wheelfleet_shared.errors import InputError

from ..adapters.customisation_files import read_customisation
from ..adapters.plugin_names import plugin_names
from ..core.best_fit import suggestion_row, suggestions
from ..core.constraints_file import constraints_file
from ..core.customising import Customised
from ..core.duplicates import duplicate_lines, duplicates
from ..core.graph_dot import dot_text
from ..core.graph_file import ParsedGraph, file_order, graph_text
from ..core.graph_reading import LinkedGraph
from ..core.graph_rounds import build_rounds, round_lines
from ..core.graph_subset import subset
from ..core.graph_why import why_line, why_steps
from ..core.indented_json import indented_json
from ..core.old_graph import migrated
from ..core.overridden import Overridden, overridden
from .reading import put_text, read_graph_file, read_input, tell
from .run_commands import print_json
from .screens import console_for
from .settings import Format, Settings


def print_constraints(graph_file: str, output: Path | None) -> int:
    """0 where each distribution has a version; else 1, the conflicts told, and no file written."""
    found = constraints_file(read_graph_file(graph_file).parsed())
    if output is None or not found.conflicts:
        put_text(found.text, output)
    for conflict in found.conflicts:
        tell(conflict.explanation())
    if found.conflicts:
        tell("these have no version that serves all; `graph explain-duplicates` tells of them")
    return 1 if found.conflicts else 0


def print_dot(
    settings: Settings, graph_file: str, output: Path | None, *, install_only: bool, changed_only: bool
) -> None:
    """The DOT file is written."""
    graph = read_graph_file(graph_file)
    put_text(dot_text(graph, changed_by(settings), install_only=install_only, changed_only=changed_only), output)


def changed_by(settings: Settings) -> Overridden:
    """What the user's overrides change; raises InputError, with file and line, for settings that cannot be used."""
    return overridden(Customised.parse(read_customisation(settings.overrides, settings.variant)), plugin_names())


def print_why(
    graph_file: str, name: str, versions: Sequence[str], depth: int, kinds: Sequence[EdgeKind], chosen: Format
) -> None:
    """The chains are printed, as they are found; raises InputError where the graph has no such distribution."""
    graph = read_graph_file(graph_file)
    wanted = {parse_version(text) for text in versions}
    nodes = [node for node in graph.named(name) if not wanted or node.version in wanted]
    if not nodes:
        at = f" at {', '.join(versions)}" if versions else ""
        raise InputError(f"{name}{at} is not in {graph_file}", "look for its name in the file")
    if chosen is Format.JSON:
        print_json({node.key: list(why_steps(graph, node.key, depth, kinds)) for node in nodes})
        return
    for node in nodes:
        for step in why_steps(graph, node.key, depth, kinds):
            sys.stdout.write(f"{why_line(step, kinds)}\n")


def parse_version(text: str) -> Version:
    """The version; raises InputError for what is none."""
    try:
        return Version(text)
    except InvalidVersion as error:
        raise InputError(f"{text!r} is no version", "write one as in 1.2.3") from error


def print_duplicates(graph_file: str, chosen: Format) -> None:
    """The duplicates are printed."""
    found = duplicates(read_graph_file(graph_file))
    if chosen is Format.JSON:
        print_json(found)
    else:
        put_text("".join(f"{line}\n" for line in duplicate_lines(found)), None)


def print_subset(
    graph_file: str, name: str, version: str, output: Path | None, *, dependencies: bool, dependents: bool
) -> None:
    """The part of the graph is written."""
    wanted = parse_version(version) if version else None
    graph = read_graph_file(graph_file)
    put_text(_text(subset(graph, name, wanted, dependencies=dependencies, dependents=dependents)), output)


def _text(graph: LinkedGraph) -> str:
    nodes = graph.parsed().nodes
    return graph_text(ParsedGraph({key: nodes[key] for key in file_order(nodes)}))


def print_rounds(settings: Settings, graph_file: str, chosen: Format) -> None:
    """The rounds are printed."""
    found = build_rounds(read_graph_file(graph_file), changed_by(settings).exclusive)
    if chosen is Format.JSON:
        print_json(found)
    else:
        put_text("".join(f"{line}\n" for line in round_lines(found)), None)


def print_best_fit(settings: Settings, onboarding: str, collections: Sequence[str], *, json: bool) -> None:
    """The suggestions are printed; raises InputError where two collections have one name."""
    graph = read_graph_file(onboarding)
    held: dict[str, frozenset[str]] = {}
    for reference in collections:
        name = PurePath(reference).stem
        if name in held:
            raise InputError(f"two collections are named {name}, the last one by {reference}", "rename a file")
        held[name] = read_graph_file(reference).names
    found = suggestions(graph, held)
    if not found:
        tell(f"{onboarding} requires nothing")
    if json:
        put_text(indented_json(found) + "\n", None)
        return
    table = Table(title="Best-Fit Collection Results for Onboarding Packages", box=MARKDOWN, title_justify="left")
    for head in ("Package", "Version", "Total Deps", "Best Fit", "New Pkgs", "Existing", "Coverage"):
        left = head in {"Package", "Version", "Best Fit"}
        table.add_column(head, justify="left" if left else "right", no_wrap=True)
    for suggestion in found:
        table.add_row(*suggestion_row(suggestion))
    console_for(settings).print(table, soft_wrap=False)


def print_migrated(graph_file: str, output: Path | None) -> None:
    """The graph in today's format is written."""
    put_text(graph_text(migrated(read_input(graph_file), graph_file)), output)
