"""Which collection a new distribution fits best: the one that has most of what it needs."""

from collections.abc import Iterable, Mapping

import msgspec

from .graph_file import ROOT
from .graph_reading import LinkedGraph, LinkedNode


class Fit(msgspec.Struct, frozen=True):
    """How a collection would serve. The fields are those of fromager's JSON: numbers of distributions, and per cent."""

    collection: str
    new_packages: int
    existing_packages: int
    coverage_percentage: float


class Suggestion(msgspec.Struct, frozen=True):
    """The answer for one requirement of the graph; all_collections: the best fit first."""

    package: str
    version: str
    total_dependencies: int
    best_fit: str
    new_packages: int
    existing_packages: int
    coverage_percentage: float
    all_collections: tuple[Fit, ...]


def suggestions(graph: LinkedGraph, collections: Mapping[str, Iterable[str]]) -> list[Suggestion]:
    """One for each thing that the graph's run requires, by name. collections: name → what it has, at least one."""
    required = dict.fromkeys(link.child for link in graph.out_of(ROOT))
    held = {name: frozenset(names) for name, names in collections.items()}
    nodes = sorted((graph.nodes[key] for key in required), key=lambda node: (node.name, node.version))
    return [_suggestion(graph, node, held) for node in nodes]


def suggestion_row(found: Suggestion) -> tuple[str, ...]:
    """The cells of a table."""
    return (
        found.package,
        found.version,
        str(found.total_dependencies),
        found.best_fit,
        str(found.new_packages),
        str(found.existing_packages),
        f"{found.coverage_percentage:.1f}%",
    )


def _suggestion(graph: LinkedGraph, node: LinkedNode, collections: Mapping[str, frozenset[str]]) -> Suggestion:
    needed = {graph.nodes[key].name for key in _closure(graph, node.key)}
    fits = sorted(
        (_fit(name, needed, names) for name, names in collections.items()),
        key=lambda fit: (fit.new_packages, fit.collection),
    )
    best = fits[0]
    return Suggestion(
        package=node.name,
        version=str(node.version),
        total_dependencies=len(needed),
        best_fit=best.collection,
        new_packages=best.new_packages,
        existing_packages=best.existing_packages,
        coverage_percentage=best.coverage_percentage,
        all_collections=tuple(fits),
    )


def _fit(collection: str, needed: set[str], names: frozenset[str]) -> Fit:
    existing = len(needed & names)
    return Fit(collection, len(needed) - existing, existing, round(existing / len(needed) * 100, 1))


def _closure(graph: LinkedGraph, start: str) -> set[str]:
    """A node and all it needs, to install and to build."""
    found, stack = {start}, [start]
    while stack:
        for link in graph.out_of(stack.pop()):
            if link.child not in found:
                found.add(link.child)
                stack.append(link.child)
    return found
