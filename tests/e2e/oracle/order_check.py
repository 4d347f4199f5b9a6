"""Walks a build-order.json, given the graph.json beside it and nothing else."""

import json
from collections.abc import Iterable

from graph_difference import RawGraph

_INSTALL = frozenset({"install"})
_BUILD = frozenset({"build-system", "build-backend", "build-sdist"})


def order_faults(order: str, graph: str) -> list[str]:
    """A line for each entry that comes too early, is missing, or is there twice.

    An entry comes after its build requirements and all that these install, and after its own
    install requirements unless these install the entry itself.
    """
    nodes: RawGraph = json.loads(graph)
    keys = [f"{entry['dist']}=={entry['version']}" for entry in json.loads(order)]
    faults = [f"{key} is there {keys.count(key)} times" for key in sorted(set(keys)) if keys.count(key) > 1]
    faults += [f"{key} is in one file only" for key in sorted(set(keys) ^ (nodes.keys() - {""}))]
    if faults:
        return faults
    place = {key: number for number, key in enumerate(keys)}
    return [
        f"{key} comes before {needed}, its {why}"
        for key in keys
        for needed, why in _needs(nodes, key)
        if place[needed] > place[key]
    ]


def _needs(nodes: RawGraph, key: str) -> list[tuple[str, str]]:
    for_build = _closure(nodes, _children(nodes, key, _BUILD))
    installs = [child for child in _children(nodes, key, _INSTALL) if key not in _closure(nodes, [child])]
    return [*((needed, "build requirement") for needed in for_build), *((child, "requirement") for child in installs)]


def _children(nodes: RawGraph, key: str, kinds: frozenset[str]) -> list[str]:
    return sorted({edge["key"] for edge in nodes[key]["edges"] if edge["req_type"] in kinds})


def _closure(nodes: RawGraph, starts: Iterable[str]) -> list[str]:
    """The starts and all that they install."""
    found, stack = set[str](), list(starts)
    while stack:
        key = stack.pop()
        if key not in found:
            found.add(key)
            stack.extend(_children(nodes, key, _INSTALL))
    return sorted(found)
