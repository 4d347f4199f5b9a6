"""How much of a collection is constrained, prebuilt or changed, in numbers."""

import msgspec

from .constraints import Constraints
from .graph_reading import LinkedGraph
from .overridden import Overridden


class Count(msgspec.Struct, frozen=True):
    """A line of the statistics. share: per cent of the distributions, or None where that says nothing."""

    metric: str
    count: int
    share: float | None

    def cells(self) -> tuple[str, str, str]:
        """The cells of a table."""
        return self.metric, str(self.count), "-" if self.share is None else f"{self.share:.1f}%"


def collection_counts(
    graph: LinkedGraph, requirements: int, constraints: Constraints, constrained: int, changed: Overridden
) -> list[Count]:
    """The numbers, under fromager's names. requirements and constrained: how many files of them state."""
    names = graph.names
    prebuilt = {node.name for node in graph.distributions if node.pre_built}
    held = {name for name in names if constraints.of(name) is not None}
    parts = {
        "Packages in the build with constraints": held,
        "Pre-built packages": prebuilt,
        "Packages with any fromager config": names & changed.settings,
        "Packages with patches": names & changed.patches,
        "Packages with build plugins": names & changed.plugins,
    }
    return [
        Count("Requirements in requirements.txt", requirements, None),
        Count("Constraints defined", constrained, None),
        Count("Unique packages in build", len(names), 100.0),
        *(
            Count(metric, len(found), 100 * len(found) / len(names) if names else 0.0)
            for metric, found in parts.items()
        ),
    ]
