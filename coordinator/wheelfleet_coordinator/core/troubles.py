"""Which of the faults that are being tried again hold up a run."""

from collections.abc import Mapping

from wheelfleet_shared.names import GraphId, RunId

from .instructions import (
    FallBack,
    Fetch,
    Instruction,
    Lock,
    Queue,
    Resolve,
    Retry,
    Verify,
)
from .walk import Walk
from .world import World


def troubles_of(world: World, walk: Walk, run: RunId, troubles: Mapping[Instruction, str]) -> tuple[str, ...]:
    """The faults in words, each once, in their order. A source may be fetched for every run, so it counts for all."""
    found = (text for instruction, text in troubles.items() if _concerns(world, walk, run, instruction))
    return tuple(dict.fromkeys(found))


def _concerns(world: World, walk: Walk, run: RunId, instruction: Instruction) -> bool:
    match instruction:
        case Resolve(graph=graph) | FallBack(graph=graph) | Lock(graph=graph):
            return _run_of(world, graph) == run
        case Fetch():
            return True
        case Queue() | Retry() | Verify():
            return any(_run_of(world, graph) == run for graph, _ in walk.places_of(instruction.build))
        case _:
            return instruction.run == run


def _run_of(world: World, graph: GraphId) -> RunId | None:
    return world.graphs[graph].run if graph in world.graphs else None
