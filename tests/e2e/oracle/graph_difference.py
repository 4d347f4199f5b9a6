"""Two graph.json files compared, as plain JSON: nothing here is the product's."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

RawGraph = dict[str, dict[str, Any]]
EdgeFacts = tuple[str, str, str, str]
"""parent, child, kind, requirement"""


class Comparison(NamedTuple):
    """How much was compared, and a line for everything that only one side has."""

    nodes: int
    edges: int
    differences: tuple[str, ...]


def compare_graphs(ours: str, theirs: str) -> Comparison:
    """The nodes with all they state, and the multiset of edges; the order in the files does not count.

    URLs are compared without scheme and host, since mirrors of one index differ in these.
    """
    left, right = json.loads(ours), json.loads(theirs)
    nodes = Counter(_nodes(left)), Counter(_nodes(right))
    edges = Counter(edges_of(left)), Counter(edges_of(right))
    lines = [*_only("node", *nodes), *_only("edge", *edges)]
    return Comparison(len(right) - 1, edges[1].total(), tuple(lines))


def edges_of(graph: RawGraph) -> Iterator[EdgeFacts]:
    """Every edge, as often as it is there."""
    for parent, node in graph.items():
        for edge in node["edges"]:
            yield parent, edge["key"], edge["req_type"], edge["req"]


def _nodes(graph: RawGraph) -> Iterator[tuple[str, str]]:
    for key, node in graph.items():
        facts = {name: value for name, value in node.items() if name != "edges"}
        facts["download_url"] = urlsplit(facts["download_url"]).path
        yield key, json.dumps(facts, sort_keys=True)


def _only(what: str, ours: Counter[Any], theirs: Counter[Any]) -> Iterator[str]:
    for side, found in (("only here", ours - theirs), ("only fromager's", theirs - ours)):
        for facts, times in sorted(found.items()):
            yield f"{what} {side}, {times} times: {' | '.join(facts)}"
