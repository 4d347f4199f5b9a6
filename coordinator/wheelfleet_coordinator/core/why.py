"""Who needs a distribution: every chain upward, each node told once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from packaging.utils import canonicalize_name

from wheelfleet_shared.core import messages as m
from wheelfleet_shared.errors import InputError

from .graph import Graph
from .graph_file import ROOT, ParsedEdge, ParsedGraph, parsed_graph

EdgesInto = Mapping[str, Sequence[tuple[str, ParsedEdge]]]


class _Step(NamedTuple):
    depth: int
    key: str
    via: ParsedEdge


def why(graphs: Iterable[Graph], name: str) -> m.Text:
    """The chains from the distribution up to the run's requirements, on each target.

    Raises InputError where no graph has it.
    """
    found = {str(graph.target): why_lines(parsed_graph(graph), name) for graph in graphs}
    if not any(found.values()):
        raise InputError(f"{name} is in no graph of this run", "`wheelfleet show RUN` lists what it has")
    lines: list[str] = []
    for target, told in found.items():
        if len(found) > 1 and told:
            lines.append(f"{target}:")
        lines.extend(told)
    return m.Text(tuple(lines), {target: list(told) for target, told in found.items()})


def why_lines(graph: ParsedGraph, name: str) -> list[str]:
    """The chains in one graph, indented by depth; a node that was told before ends with dots."""
    wanted, _, version = name.partition("==")
    canonical = canonicalize_name(wanted.strip())
    into = graph.edges_into()
    lines: list[str] = []
    for key, node in graph.nodes.items():
        if key != ROOT and node.canonicalized_name == canonical and version.strip() in {"", node.version}:
            lines.append(key)
            lines.extend(_chains(into, key))
    return lines


def _chains(into: EdgesInto, start: str) -> Iterator[str]:
    told = {start}
    stack = [_Step(1, parent, edge) for parent, edge in reversed(into[start])]
    while stack:
        depth, key, via = stack.pop()
        indent = "  " * depth
        if key == ROOT:
            yield f"{indent}* required by the run: {via.req}"
            continue
        again = key in told
        yield f"{indent}* {via.req_type} requirement {via.req} of {key}{' …' if again and into[key] else ''}"
        if not again:
            told.add(key)
            stack.extend(_Step(depth + 1, parent, edge) for parent, edge in reversed(into[key]))
