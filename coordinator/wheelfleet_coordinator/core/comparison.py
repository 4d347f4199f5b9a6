"""Two graphs compared by what they hold and why."""

from collections import Counter

import msgspec

from .graph_file import ROOT, ParsedGraph


class Difference(msgspec.Struct, frozen=True):
    """What changed from one graph to another; names canonical, versions sorted as text.

    changed: name → (versions before, versions after). edges_added, edges_removed: as
    ``parent -kind-> requirement -> node``, between nodes that both graphs hold.
    """

    added: dict[str, tuple[str, ...]]
    removed: dict[str, tuple[str, ...]]
    changed: dict[str, tuple[tuple[str, ...], tuple[str, ...]]]
    edges_added: tuple[str, ...] = ()
    edges_removed: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether the graphs are the same."""
        return not (self.added or self.removed or self.changed or self.edges_added or self.edges_removed)


def compare(old: ParsedGraph, new: ParsedGraph) -> Difference:
    """What changed from ``old`` to ``new``. Cost: linear in nodes and edges."""
    before, after = _versions(old), _versions(new)
    common = old.nodes.keys() & new.nodes.keys()
    edges_before, edges_after = _edges(old, common), _edges(new, common)
    return Difference(
        added={name: after[name] for name in sorted(after.keys() - before.keys())},
        removed={name: before[name] for name in sorted(before.keys() - after.keys())},
        changed={
            name: (before[name], after[name])
            for name in sorted(before.keys() & after.keys())
            if before[name] != after[name]
        },
        edges_added=tuple(sorted((edges_after - edges_before).elements())),
        edges_removed=tuple(sorted((edges_before - edges_after).elements())),
    )


def difference_lines(found: Difference) -> list[str]:
    """The difference for people: ``+`` came, ``-`` went, ``~`` has other versions."""
    if found.empty:
        return ["no difference"]
    lines = [f"+ {name} {', '.join(versions)}" for name, versions in found.added.items()]
    lines += [f"- {name} {', '.join(versions)}" for name, versions in found.removed.items()]
    lines += [f"~ {name} {', '.join(old)} → {', '.join(new)}" for name, (old, new) in found.changed.items()]
    lines += [f"+ edge {edge}" for edge in found.edges_added]
    lines += [f"- edge {edge}" for edge in found.edges_removed]
    return lines


def _versions(graph: ParsedGraph) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for key, node in graph.nodes.items():
        if key != ROOT:
            found.setdefault(node.canonicalized_name, set()).add(node.version)
    return {name: tuple(sorted(versions)) for name, versions in found.items()}


def _edges(graph: ParsedGraph, common: set[str]) -> Counter[str]:
    return Counter(
        f"{key or 'the run'} -{edge.req_type}-> {edge.req} -> {edge.key}"
        for key, node in graph.nodes.items()
        if key in common
        for edge in node.edges
        if edge.key in common
    )
