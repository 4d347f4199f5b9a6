"""Requirements that need not be stated, since others of a graph file bring them in."""

from collections.abc import Iterable, Sequence

import msgspec
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .graph_file import ROOT
from .graph_reading import INSTALL_KINDS, Link, LinkedGraph


class Implied(msgspec.Struct, frozen=True):
    """A requirement that can go. by: key of a node that installs what it asks for."""

    requirement: str
    by: str


class Minimal(msgspec.Struct, frozen=True):
    """The requirements to keep, in their order, and those that can go."""

    requirements: tuple[str, ...]
    implied: tuple[Implied, ...]


def minimal_requirements(requirements: Sequence[Requirement], graph: LinkedGraph) -> Minimal:
    """Which requirements are implied by the rest, at a version that they let in.

    A pin (``==``, ``===``) is always kept, and so are extras that nothing else asks for. Of
    requirements that only bring in one another the first is kept.
    """
    installed = [node.key for node in graph.installed()]
    links = [link for key in installed for link in graph.out_of(key) if link.kind in INSTALL_KINDS]
    implied: dict[str, Link] = {}
    for requirement in requirements:
        found = None if _is_pin(requirement) else _bringing(requirement, links)
        if found is not None:
            implied[str(requirement)] = found
    for text in _needed_after_all(requirements, implied, graph):
        del implied[text]
    texts = [str(requirement) for requirement in requirements]
    return Minimal(
        tuple(text for text in texts if text not in implied),
        tuple(Implied(text, implied[text].parent) for text in texts if text in implied),
    )


def _is_pin(requirement: Requirement) -> bool:
    return any(specifier.operator in {"==", "==="} for specifier in requirement.specifier)


def _bringing(requirement: Requirement, links: Iterable[Link]) -> Link | None:
    """An edge of the graph that installs what the requirement asks for."""
    name = canonicalize_name(requirement.name)
    return next((link for link in links if _brings(link, name, requirement)), None)


def _brings(link: Link, name: str, requirement: Requirement) -> bool:
    child, _, version = link.child.partition("==")
    return (
        child == name
        and requirement.extras <= link.requirement.extras
        and requirement.specifier.contains(version, prereleases=True)
    )


def _needed_after_all(requirements: Iterable[Requirement], implied: dict[str, Link], graph: LinkedGraph) -> list[str]:
    """Requirements that nothing brings in once all implied ones are gone: one of each ring."""
    going = [requirement for requirement in requirements if str(requirement) in implied]
    names = {canonicalize_name(requirement.name) for requirement in going}
    staying = {link.child for link in graph.out_of(ROOT) if graph.nodes[link.child].name not in names}
    reached = _brought(staying, graph)
    needed: dict[str, set[str]] = {}
    for requirement in going:
        nodes = {node.key for node in graph.named(requirement.name)}
        if not nodes & reached:
            needed[str(requirement)] = nodes
            reached |= _brought(nodes, graph)
    return [text for text, nodes in needed.items() if not _by_another(text, nodes, needed, graph)]


def _by_another(text: str, nodes: set[str], needed: dict[str, set[str]], graph: LinkedGraph) -> bool:
    """Whether one that came later brings these in as well, without being brought in by them."""
    brought = _brought(nodes, graph)
    return any(
        nodes & _brought(other_nodes, graph) and not other_nodes & brought
        for other, other_nodes in needed.items()
        if other != text
    )


def _brought(nodes: Iterable[str], graph: LinkedGraph) -> set[str]:
    return set(nodes).union(*(graph.install_closure(key) for key in nodes))
