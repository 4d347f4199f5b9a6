"""Distributions that a graph file installs in several versions, who needs which, and what would do for all.

The text is fromager's, to the byte, but for parents of one requirement: they are sorted, where
fromager's come in the order of hashes.
"""

from collections.abc import Iterable, Iterator

import msgspec
from packaging.requirements import Requirement
from packaging.version import Version

from .graph_reading import LinkedGraph, LinkedNode


class Demand(msgspec.Struct, frozen=True):
    """A requirement that was served by one version. matches: which of all versions would do; parents: sorted keys."""

    requirement: str
    matches: tuple[str, ...]
    parents: tuple[str, ...]


class DuplicateVersion(msgspec.Struct, frozen=True):
    """One of the versions, and the demands that led to it."""

    version: str
    demands: tuple[Demand, ...]


class Duplicate(msgspec.Struct, frozen=True):
    """A distribution in several versions, from old to new. usable: one that suits all consumers, or empty."""

    name: str
    constraint: str
    versions: tuple[DuplicateVersion, ...]
    usable: str


def duplicates(graph: LinkedGraph) -> list[Duplicate]:
    """All of them, by name."""
    by_name: dict[str, list[LinkedNode]] = {}
    for node in graph.installed():
        by_name.setdefault(node.name, []).append(node)
    return [_duplicate(graph, nodes) for _, nodes in sorted(by_name.items()) if len(nodes) > 1]


def duplicate_lines(found: Iterable[Duplicate]) -> Iterator[str]:
    """The report for people, line by line."""
    for duplicate in found:
        note = f" (constraint: {duplicate.constraint})" if duplicate.constraint else ""
        yield from ("", f"{duplicate.name}{note}")
        for version in duplicate.versions:
            yield f"  {version.version}"
            for demand in version.demands:
                yield f"    {demand.requirement} matches {list(demand.matches)}"
                yield from (f"      {parent}" for parent in demand.parents)
        if duplicate.usable:
            yield f"  * {duplicate.name}=={duplicate.usable} usable by all consumers"
        else:
            yield f"  * No single version of {duplicate.name} meets all requirements"


def _duplicate(graph: LinkedGraph, nodes: list[LinkedNode]) -> Duplicate:
    versions = [node.version for node in nodes]
    rows = tuple(
        DuplicateVersion(str(node.version), tuple(_demands(graph, node, versions)))
        for node in sorted(nodes, key=lambda node: node.version)
    )
    return Duplicate(nodes[0].name, nodes[0].constraint, rows, _usable(rows))


def _demands(graph: LinkedGraph, node: LinkedNode, versions: list[Version]) -> Iterator[Demand]:
    """The demands on one version, grouped by what they say; the run's own requirements do not count."""
    parents: dict[Requirement, set[str]] = {}
    for link in graph.into(node.key):
        if link.kind == "install":
            parents.setdefault(link.requirement, set()).add(link.parent)
    for requirement, keys in parents.items():
        matches = tuple(str(version) for version in requirement.specifier.filter(versions))
        yield Demand(str(requirement), matches, tuple(sorted(keys)))


def _usable(rows: Iterable[DuplicateVersion]) -> str:
    """The first version that all demands let in, in the order in which they name it."""
    demands = [demand for row in rows for demand in row.demands]
    consumers = sum(len(demand.parents) for demand in demands)
    users: dict[str, int] = {}
    for demand in demands:
        for version in demand.matches:
            users[version] = users.get(version, 0) + len(demand.parents)
    return next((version for version, count in users.items() if count == consumers), "")
