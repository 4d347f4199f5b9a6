"""How many nodes of each graph are published or failed, counted as their standings change."""

from collections.abc import Iterable

from wheelfleet_shared.names import GraphId

from .graph import Graph
from .standing import Stand, Standing


class Tallies:
    """Counts that follow ``change``; a look at them costs nothing for the nodes of a graph."""

    def __init__(self) -> None:
        self._good: dict[GraphId, int] = {}
        self._bad: dict[GraphId, int] = {}

    def change(self, graph: GraphId, before: Standing | None, after: Standing) -> None:
        """A node stands elsewhere now."""
        if before is not None:
            self._add(graph, before, -1)
        self._add(graph, after, +1)

    def counts(self, graphs: Iterable[Graph]) -> tuple[int, int]:
        """Nodes that are published, and nodes or requirements that failed."""
        good = bad = 0
        for graph in graphs:
            good += self._good.get(graph.id, 0)
            bad += self._bad.get(graph.id, 0) + sum(len(items) for items in graph.unresolvable.values())
        return good, bad

    def _add(self, graph: GraphId, standing: Standing, change: int) -> None:
        if standing.stand is Stand.PUBLISHED:
            self._good[graph] = self._good.get(graph, 0) + change
        elif standing.stand is Stand.FAILED:
            self._bad[graph] = self._bad.get(graph, 0) + change
