"""constraints.txt: one version of each distribution that the run's requirements install.

Where the graph holds several versions of one, the newest that all who install it can use is chosen,
as fromager does: the run's own requirements count only where nobody else's do. Unlike fromager, a
name without a common version is tried again when the choice of another name has taken consumers away.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec
from packaging.requirements import Requirement
from packaging.version import Version

from .graph_file import ROOT, ParsedGraph

_INSTALLED = frozenset({"toplevel", "install"})


class Consumer(NamedTuple):
    """Who needs a distribution: key of the parent (ROOT: the run itself), its requirement, the version it got."""

    parent: str
    requirement: str
    version: str


class Conflict(msgspec.Struct, frozen=True):
    """A distribution without a version that all its consumers can use; versions from old to new."""

    name: str
    versions: tuple[str, ...]
    consumers: tuple[Consumer, ...]

    def explanation(self) -> str:
        """Who needs which version, for people; lines without a final newline."""
        lines = [f"{self.name}: no version serves all that require it, of {', '.join(self.versions)}"]
        for consumer in self.consumers:
            fitting = ", ".join(_matching(consumer, self.versions)) or "none"
            parent = consumer.parent or "the run itself"
            lines.append(f"  {parent} requires {consumer.requirement}: {fitting} would do, got {consumer.version}")
        return "\n".join(lines)


class ConstraintsFile(NamedTuple):
    """The text holds every name without a conflict; pip can use it as a whole only where there is none.

    pins: name → version, as the text has them.
    """

    text: str
    conflicts: tuple[Conflict, ...]
    pins: Mapping[str, str]


def constraints_file(graph: ParsedGraph) -> ConstraintsFile:
    """Choose the versions. Cost: linear in the edges, but for names with several versions."""
    versions = _installed_versions(graph)
    consumers = _consumers(graph, versions)
    chosen = {name: found[0] for name, found in versions.items() if len(found) == 1}
    undecided = {name for name in versions if name not in chosen}
    progress = True
    while progress:
        progress = False
        for name in sorted(undecided):
            version = _common(_active(consumers[name], chosen, graph), versions[name])
            if version is not None:
                chosen[name] = version
                undecided.discard(name)
                progress = True
    conflicts = tuple(
        Conflict(name, versions[name], tuple(_active(consumers[name], chosen, graph))) for name in sorted(undecided)
    )
    return ConstraintsFile("".join(_lines(chosen, versions)), conflicts, chosen)


def _installed_versions(graph: ParsedGraph) -> dict[str, tuple[str, ...]]:
    """Of each name that the root installs, directly or not, the versions in the graph, from old to new."""
    found: set[str] = set()
    stack = [ROOT]
    while stack:
        for edge in graph.nodes[stack.pop()].edges:
            if edge.req_type in _INSTALLED and edge.key not in found:
                found.add(edge.key)
                stack.append(edge.key)
    versions: dict[str, list[str]] = {}
    for key in found:
        versions.setdefault(graph.nodes[key].canonicalized_name, []).append(graph.nodes[key].version)
    return {name: tuple(sorted(versions[name], key=Version)) for name in sorted(versions)}


def _consumers(graph: ParsedGraph, versions: Mapping[str, tuple[str, ...]]) -> dict[str, list[Consumer]]:
    """Of each name with several versions those that require it to install, each once, sorted."""
    found: dict[str, set[Consumer]] = {name: set() for name, known in versions.items() if len(known) > 1}
    for parent, node in graph.nodes.items():
        for edge in node.edges:
            child = graph.nodes[edge.key]
            if edge.req_type in _INSTALLED and child.version in versions.get(child.canonicalized_name, ()):
                found.get(child.canonicalized_name, set()).add(Consumer(parent, edge.req, child.version))
    return {name: sorted(users) for name, users in found.items()}


def _active(consumers: list[Consumer], chosen: Mapping[str, str], graph: ParsedGraph) -> list[Consumer]:
    """Those that have a say: not at a version that was not chosen; the run itself where there is no other."""

    def stays(consumer: Consumer) -> bool:
        parent = graph.nodes[consumer.parent]
        return chosen.get(parent.canonicalized_name, parent.version) == parent.version

    staying = [consumer for consumer in consumers if stays(consumer)]
    return [consumer for consumer in staying if consumer.parent != ROOT] or staying


def _common(consumers: list[Consumer], versions: tuple[str, ...]) -> str | None:
    usable = [set(_matching(consumer, versions)) for consumer in consumers]
    return next((version for version in reversed(versions) if all(version in fitting for fitting in usable)), None)


def _matching(consumer: Consumer, versions: tuple[str, ...]) -> list[str]:
    return list(Requirement(consumer.requirement).specifier.filter(versions))


def _lines(chosen: Mapping[str, str], versions: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    for name in sorted(chosen):
        if len(versions[name]) > 1:
            # The words are fromager's: scripts look for them.
            yield f"# NOTE: fromager selected {name}=={chosen[name]} from: {list(versions[name])}\n"
        yield f"{name}=={chosen[name]}\n"
