"""Sources of a stage pinned before they are recorded: what may change under its URL is looked at once a run."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from wheelfleet_shared.core import events as e
from wheelfleet_shared.errors import SourceError, WheelfleetError
from wheelfleet_shared.names import NodeKey

from ..adapters.source_trees import Packed
from ..core.graph import Graph
from ..core.instructions import Resolve
from ..core.pinned_sources import Pin, Pins, changing_edges, known_pins, with_pins
from ..core.resolve_stage import Resolved
from ..core.world import World


class Trees(Protocol):
    """Trees that are no file yet, in git or in a folder; see ``adapters.source_trees.SourceTrees``."""

    async def pin(self, url: str, file_name: str) -> Pin:
        """The source under a name by which it cannot change."""

    async def pack(self, url: str, file_name: str, to: Path) -> Packed | None:
        """The tree as one archive; None where the URL is that of a file."""


async def pin_sources(world: World, trees: Trees, graph: Graph, instruction: Resolve, outcome: Resolved) -> Resolved:
    """The stage with sources that cannot change; raises InfrastructureError where one cannot be looked at now."""
    edges = changing_edges(outcome)
    if not edges:
        return outcome
    of_run = (other for other in world.graphs.values() if other.run == graph.run)
    known: dict[NodeKey, Pin | WheelfleetError] = {**known_pins(of_run, edges)}
    found = await _look(trees, {key: edge for key, edge in edges.items() if key not in known})
    return with_pins(graph, instruction, outcome, {**known, **found})


async def _look(trees: Trees, edges: Mapping[NodeKey, e.Edge]) -> Pins:
    async def one(edge: e.Edge) -> Pin | WheelfleetError:
        try:
            return await trees.pin(edge.source_url, edge.source_name)
        except SourceError as error:
            return error

    return dict(zip(edges, await asyncio.gather(*map(one, edges.values())), strict=True))
