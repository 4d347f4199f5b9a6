"""How long a run will still take, from what it took so far."""

from collections.abc import Sequence
from typing import NamedTuple

from wheelfleet_shared.core.events import Expectation

PRIOR: dict[Expectation, float] = {"pure": 1.5, "open": 2.5, "native": 15.0}
"""Seconds that a build takes where none of its expectation was measured yet."""
PRIOR_WEIGHT = 1.0
"""How many measured builds the prior counts for."""


class Measured(NamedTuple):
    """A node that was built in this run, in ``wall`` seconds."""

    expectation: Expectation
    wall: float


class Open(NamedTuple):
    """A node that is not done; ``running``: seconds that its build has run already."""

    expectation: Expectation
    running: float = 0.0


def remaining_seconds(done: Sequence[Measured], left: Sequence[Open], elapsed: float) -> float:
    """Seconds until the last open node is done; negative where nothing was measured that tells.

    The work left, in expected seconds of builds, at the rate at which such work was done so far.
    Not all slots are busy to the end: half of what the longest build can outlast the others is added.
    """
    if not left:
        return 0.0
    if not done or elapsed <= 0:
        return -1.0
    if _beyond_guessing(done, left):
        return -1.0
    expected = _expected(done, left)
    parts = [max(expected[node.expectation] - node.running, 0.1 * expected[node.expectation]) for node in left]
    worked = sum(max(item.wall, 0.1) for item in done) + sum(node.running for node in left)
    busy = max(1.0, worked / elapsed)
    longest = max(parts)
    return max(sum(parts) * elapsed / worked + longest * (1 - 1 / busy) / 2, longest)


def _beyond_guessing(done: Sequence[Measured], left: Sequence[Open]) -> bool:
    """Whether a build already runs far longer than is usual for its kind, of which none has ended yet.

    A number would only grow with the clock then.
    """
    known = {item.expectation for item in done}
    return any(node.expectation not in known and node.running > 2 * PRIOR[node.expectation] for node in left)


def _expected(done: Sequence[Measured], left: Sequence[Open]) -> dict[Expectation, float]:
    """Mean seconds of a build; what runs already tells too how long such builds take at least."""
    found: dict[Expectation, float] = {}
    for expectation, prior in PRIOR.items():
        walls = [item.wall for item in done if item.expectation == expectation]
        running = [node.running for node in left if node.expectation == expectation]
        mean = (sum(walls) + prior * PRIOR_WEIGHT) / (len(walls) + PRIOR_WEIGHT)
        found[expectation] = max(mean, 1.5 * max(running, default=0.0) if not walls else 0.0)
    return found
