"""Whether everything that a build's environment can need is published.

Each build that waits has one witness, the first unmet visit of its closure, and is looked at again
only when that witness moves; visits whose whole closure is met are remembered. So the work over a
run is nearly linear in its edges, not quadratic.
"""

from collections.abc import Callable

from wheelfleet_shared.names import NodeKey

from .alternatives import counting_arcs
from .graph import Arc, Graph, StageId, Visit


class Readiness:
    """What is known to be met in one graph. A lost wheel needs a new one (``forget``)."""

    def __init__(self) -> None:
        self._met: set[Visit] = set()

    def forget(self) -> None:
        """Check everything anew, after a wheel went away."""
        self._met.clear()

    def first_unmet(
        self,
        graph: Graph,
        starts: tuple[Arc, ...],
        published: Callable[[NodeKey], bool],
        failed: Callable[[NodeKey], bool] = lambda _: False,
    ) -> tuple[Visit, ...]:
        """The chain from a build requirement to the first visit that is not met; empty when all are.

        A visit is met when its node is published and its install requirements are all resolved and
        met; cycles of install requirements are fine. Of several versions for one requirement the
        newest counts that has not failed.
        """

        def out(visit: Visit) -> bool:
            return failed(visit.node) or is_broken(graph, visit)

        came_from: dict[Visit, Visit | None] = {}
        stack: list[tuple[Visit, Visit | None]] = [
            (arc.child, None) for arc in reversed(counting_arcs(graph, starts, out))
        ]
        while stack:
            visit, via = stack.pop()
            if visit in self._met or visit in came_from:
                continue
            came_from[visit] = via
            arcs = graph.install_arcs(visit)
            if arcs is None or not published(visit.node) or is_broken(graph, visit):
                return _chain(came_from, visit)
            stack.extend((arc.child, visit) for arc in reversed(counting_arcs(graph, arcs, out)))
        self._met.update(came_from)
        return ()


def is_broken(graph: Graph, visit: Visit) -> bool:
    """Whether an install requirement of the visit has no version."""
    return StageId(visit.node, "install", visit.extras) in graph.unresolvable


def _chain(came_from: dict[Visit, Visit | None], end: Visit) -> tuple[Visit, ...]:
    chain = [end]
    while (via := came_from[chain[-1]]) is not None:
        chain.append(via)
    return tuple(reversed(chain))
