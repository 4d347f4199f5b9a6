"""A graph file as a DOT file for graphviz, as fromager draws it."""

from collections.abc import Iterable, Iterator
from itertools import count
from typing import Final, NamedTuple

from .graph_file import ROOT
from .graph_reading import BUILD_KINDS, LinkedGraph, LinkedNode
from .overridden import Overridden

_SHAPES: Final = {
    "settings": "box",
    "plain": "oval",
    "patches": "note",
    "plugin and patches": "tripleoctagon",
    "plugin": "trapezium",
    "prebuilt": "parallelogram",
    "the run": "circle",
}


class _Arrow(NamedTuple):
    parent: str
    child: str
    requirement: str
    dotted: bool


def dot_text(graph: LinkedGraph, changed: Overridden, *, install_only: bool = False, changed_only: bool = False) -> str:
    """The text of the DOT file, which ends in a newline.

    Bold nodes are installed, dashed ones only needed to build, dotted edges are build requirements;
    shapes tell what changes a build. changed_only: just the distributions that are changed, with
    an edge wherever one is reached from another without passing a third.
    """
    installed = {ROOT, *(node.key for node in graph.installed())}
    shown = _shown(graph, changed, install_only=install_only, changed_only=changed_only)
    ids = _Ids()
    lines = ["digraph {", ""]
    for node in sorted(shown, key=lambda node: node.key):
        weight = "" if install_only else ",bold" if node.key in installed else ",dashed"
        lines.append(f"  {ids.of(node.key)} [{_properties(node, weight, _shape(node, changed))}]")
    lines.append("")
    if changed_only:
        arrows = _reduced(graph, shown, changed, install_only=install_only)
    else:
        arrows = _plain(graph, shown, install_only=install_only)
    lines.extend(_arrow_line(ids, arrow) for arrow in arrows)
    return "\n".join([*lines, "}", ""])


class _Ids:
    """Names of nodes in the file, given in the order in which they are asked for."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._known: dict[str, str] = {}

    def of(self, key: str) -> str:
        if key not in self._known:
            self._known[key] = f"node{next(self._numbers)}"
        return self._known[key]


def _shown(graph: LinkedGraph, changed: Overridden, *, install_only: bool, changed_only: bool) -> list[LinkedNode]:
    nodes = [graph.nodes[ROOT], *graph.installed()] if install_only else list(graph.nodes.values())
    return [node for node in nodes if node.key != ROOT and changed.changes(node.name)] if changed_only else nodes


def _shape(node: LinkedNode, changed: Overridden) -> str:
    if node.key == ROOT:
        return "the run"
    if node.pre_built:
        return "prebuilt"
    if node.name in changed.plugins:
        return "plugin and patches" if node.name in changed.patches else "plugin"
    if node.name in changed.patches:
        return "patches"
    return "settings" if node.name in changed.settings else "plain"


def _properties(node: LinkedNode, weight: str, shape: str) -> str:
    colours = "color=black fillcolor=white fontcolor=black"
    return f'label="{node.key}" style="filled{weight}" {colours} shape={_SHAPES[shape]}'


def _arrow_line(ids: _Ids, arrow: _Arrow) -> str:
    tip = arrow.requirement.replace('"', "'")
    style = " style=dotted" if arrow.dotted else ""
    return f'  {ids.of(arrow.parent)} -> {ids.of(arrow.child)} [labeltooltip="{tip}"{style}]'


def _plain(graph: LinkedGraph, shown: Iterable[LinkedNode], *, install_only: bool) -> Iterator[_Arrow]:
    """One edge between two nodes, the first of several."""
    shown = list(shown)
    keys = {node.key for node in shown}
    for node in shown:
        found: dict[str, _Arrow] = {}
        for link in graph.out_of(node.key):
            builds = link.kind in BUILD_KINDS
            if not (install_only and builds):
                found.setdefault(link.child, _Arrow(node.key, link.child, str(link.requirement), builds))
        yield from (arrow for arrow in found.values() if arrow.child in keys)


def _reduced(
    graph: LinkedGraph, shown: Iterable[LinkedNode], changed: Overridden, *, install_only: bool
) -> Iterator[_Arrow]:
    """Edges to the next changed distributions; each bears the requirement that the way to it starts with."""
    for node in shown:
        found: dict[str, str] = {}
        stack, seen = [(node.key, "")], set[str]()
        while stack:
            key, first = stack.pop()
            if key in seen:
                continue
            seen.add(key)
            for link in graph.out_of(key):
                if install_only and link.kind in BUILD_KINDS:
                    continue
                requirement = first or str(link.requirement)
                if changed.changes(graph.nodes[link.child].name):
                    found[link.child] = requirement
                else:
                    stack.append((link.child, requirement))
        yield from (_Arrow(node.key, child, requirement, dotted=False) for child, requirement in found.items())
