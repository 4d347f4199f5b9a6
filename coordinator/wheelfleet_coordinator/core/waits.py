"""What holds up the open nodes of a run, in words: one by one, and taken together, since many wait for few."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from wheelfleet_shared.core import messages as m
from wheelfleet_shared.core.build import Status
from wheelfleet_shared.names import NodeKey, TargetId

from .graph import Graph
from .standing import Stand, Standing
from .walk import Walk
from .world import World

_WORDS: Final = {
    Stand.FETCHING: "its source is being fetched",
    Stand.PREPARING: "its source is being prepared",
    Stand.RESOLVING: "versions of its requirements are being chosen",
    Stand.LOCKING: "its environment is being locked",
    Stand.QUEUED: "it is queued for a free slot",
    Stand.BUILDING: "it is being built",
    Stand.VERIFYING: "its result is being verified",
    Stand.RETRYING: "an attempt was aborted; it will be tried again",
    Stand.PUBLISHED: "what it installs is being resolved",
    Stand.FAILED: "it failed",
}
_GROUPED: Final = {
    Stand.WAITING: ("waits for what comes out for another target", "wait for what comes out for another target"),
    Stand.FETCHING: ("source is being fetched", "sources are being fetched"),
    Stand.PREPARING: ("waits for a slot to prepare its source", "wait for slots to prepare their sources"),
    Stand.RESOLVING: ("gets versions for its requirements", "get versions for their requirements"),
    Stand.LOCKING: ("gets its environment locked", "get their environments locked"),
    Stand.QUEUED: ("is queued for a free slot", "are queued for free slots"),
    Stand.VERIFYING: ("is being verified", "are being verified"),
    Stand.RETRYING: ("is to be tried again", "are to be tried again"),
}
_NEW: Final = ("has just been found", "have just been found")


def reason(walk: Walk, graph: Graph, standing: Standing) -> str:
    """Why a node does not move, or what is being done about it, in words."""
    if standing.behind is not None:
        return f"{standing.behind} builds it first: where the wheel is pure, it serves all targets"
    if standing.stand is not Stand.WAITING or standing.waits_for is None:
        return _WORDS.get(standing.stand, "its turn has not come")
    other = standing.waits_for
    return f"it waits for {other}: {stand_in_words(walk.standing(graph.id, other))}"


def stand_in_words(standing: Standing | None) -> str:
    """A stand without naming what it waits for."""
    if standing is None:
        return "it is new"
    if standing.stand is Stand.WAITING:
        return f"it waits for {standing.waits_for}" if standing.waits_for is not None else "its turn has not come"
    if standing.stand is Stand.PUBLISHED and standing.settled:
        return "it is published"
    return _WORDS[standing.stand]


def is_running(world: World, standing: Standing) -> bool:
    """Whether an agent is at it: a slot is taken, for its source or for its wheel."""
    return standing.build is not None and world.build(standing.build).status is Status.CLAIMED


def wait_groups(world: World, walk: Walk, graphs: Collection[Graph]) -> tuple[m.WaitGroup, ...]:
    """The open nodes that no agent is at, by what each chain of waits ends in; the largest group first.

    Cost: linear in the nodes and the length of their chains.
    """
    found = Counter(_ends(world, walk, graphs))
    groups = (m.WaitGroup(count, _text(walk, end, count, len(graphs) > 1)) for end, count in found.items())
    return tuple(sorted(groups, key=lambda group: (-group.nodes, group.text)))


_End = tuple[Graph, NodeKey | None, Stand | None]
"""A graph with the node that is waited for, or with how the nodes themselves stand."""


def _ends(world: World, walk: Walk, graphs: Iterable[Graph]) -> Iterator[_End]:
    for graph in graphs:
        for key in graph.nodes:
            standing = walk.standing(graph.id, key)
            if standing is None:
                yield graph, None, None
            elif standing.stand is Stand.WAITING:
                yield graph, _root(walk, graph, standing), standing.stand
            elif standing.stand not in {Stand.PUBLISHED, Stand.FAILED} and not is_running(world, standing):
                yield graph, None, standing.stand


def _root(walk: Walk, graph: Graph, standing: Standing) -> NodeKey | None:
    """The node at the end of the chain of waits; in a ring one of it."""
    seen: set[NodeKey] = set()
    found = standing.waits_for
    while found is not None and found not in seen:
        seen.add(found)
        following = walk.standing(graph.id, found)
        if following is None or following.stand is not Stand.WAITING or following.waits_for is None:
            break
        found = following.waits_for
    return found


def _text(walk: Walk, end: _End, count: int, several: bool) -> str:
    graph, node, stand = end
    where = f" on {graph.target}" if several else ""
    if node is not None:
        other = walk.standing(graph.id, node)
        return f"{count} {'waits' if count == 1 else 'wait'} for {node}{where}: {stand_in_words(other)}"
    return f"{count} {_GROUPED.get(stand, _NEW)[count > 1] if stand is not None else _NEW[count > 1]}{where}"


def lacking_targets(
    world: World, walk: Walk, graphs: Iterable[Graph], offered: Collection[TargetId]
) -> tuple[str, ...]:
    """A sentence for each target of open nodes that no agent offers: nothing of it can go on."""
    return tuple(
        f"no agent offers {graph.target} now: its builds wait until one does (`wheelfleet agents` lists them)"
        for graph in graphs
        if graph.target not in offered and _is_open(world, walk, graph)
    )


def _is_open(world: World, walk: Walk, graph: Graph) -> bool:
    return not graph.nodes or any(True for _ in _ends(world, walk, (graph,)))
