"""Who needs a distribution of a graph file, told in fromager's words.

Scripts read these lines, so they are the same, to the byte.
"""

from collections.abc import Collection, Iterator
from typing import Final, Literal, NamedTuple

import msgspec

from wheelfleet_shared.core.events import EdgeKind

from .graph_file import ROOT
from .graph_reading import Link, LinkedGraph, LinkedNode

TO_THE_ROOT: Final = -1
"""The depth that goes up to the run's own requirements, however far these are."""


class WhyStep(msgspec.Struct, frozen=True):
    """One thing to say about a node. depth: 0 for what is asked about.

    what ``node`` starts the answer for one version, ``requirement`` names a parent, ``toplevel`` is
    a requirement of the run, ``cycle`` a node that stands further up in the same chain, ``none``
    says that no parent is of the kinds asked for.
    """

    depth: int
    what: Literal["node", "requirement", "toplevel", "cycle", "none"]
    key: str
    constraint: str = ""
    parent: str = ""
    parent_constraint: str = ""
    kind: str = ""
    requirement: str = ""


class _Level(NamedTuple):
    """What is told of one node, as far as it is told."""

    key: str
    steps: Iterator[tuple[WhyStep, str]]


def why_steps(graph: LinkedGraph, key: str, depth: int, kinds: Collection[EdgeKind]) -> Iterator[WhyStep]:
    """Everything to say about one node, in turn.

    depth: 0 tells of the parents, n of n + 1 levels more, TO_THE_ROOT of all. kinds: of requirements
    that count; none given, all do. Each chain is told whole, so their number bounds the cost, and
    the steps come as they are asked for.
    """
    levels = [_Level(key, _level(graph, graph.nodes[key], 0, kinds))]
    while levels:
        found = next(levels[-1].steps, None)
        if found is None:
            levels.pop()
            continue
        step, parent = found
        yield step
        if parent and _goes_on(step.depth, depth):
            above, below = len(levels), {level.key for level in levels}
            levels.append(_Level(parent, _above(graph, parent, above, below, kinds)))


def why_line(step: WhyStep, kinds: Collection[EdgeKind]) -> str:
    """The line for people, without its end; the first one of an answer has an empty line before it."""
    indent = "  " * step.depth
    match step.what:
        case "node":
            return f"\n{step.key}{_note(step.constraint)}"
        case "cycle":
            return f"{indent} * {step.key} has a cycle"
        case "toplevel":
            return f"{indent} * {step.key}{_note(step.constraint)} is a toplevel dependency with req {step.requirement}"
        case "requirement":
            parent = f"{step.parent}{_note(step.parent_constraint)}"
            return f"{indent} * {step.key} is an {step.kind} dependency of {parent} with req {step.requirement}"
        case "none":
            name = step.key.partition("==")[0]
            return f" * couldn't find any dependencies to {name} that matches {list(kinds)}"


def _goes_on(step: int, depth: int) -> bool:
    return depth == TO_THE_ROOT or (depth != 0 and step <= depth)


def _above(
    graph: LinkedGraph, key: str, depth: int, below: Collection[str], kinds: Collection[EdgeKind]
) -> Iterator[tuple[WhyStep, str]]:
    if key in below:
        yield WhyStep(depth, "cycle", key), ""
    else:
        yield from _level(graph, graph.nodes[key], depth, kinds)


def _level(
    graph: LinkedGraph, node: LinkedNode, depth: int, kinds: Collection[EdgeKind]
) -> Iterator[tuple[WhyStep, str]]:
    """What is said of a node itself, each with the parent to go on with, or empty."""
    if depth == 0:
        yield WhyStep(0, "node", node.key, node.constraint), ""
    told = False
    for link in graph.into(node.key):
        if link.parent == ROOT:
            told = True
            yield WhyStep(depth, "toplevel", node.key, node.constraint, requirement=str(link.requirement)), ""
        elif not kinds or link.kind in kinds:
            told = True
            yield _required(graph, link, depth), link.parent
    if not told:
        yield WhyStep(depth, "none", node.key), ""


def _required(graph: LinkedGraph, link: Link, depth: int) -> WhyStep:
    return WhyStep(
        depth,
        "requirement",
        link.child,
        parent=link.parent,
        parent_constraint=graph.nodes[link.parent].constraint,
        kind=link.kind,
        requirement=str(link.requirement),
    )


def _note(constraint: str) -> str:
    return f" (constraint: {constraint})" if constraint else ""
