"""How much work waits for a node: the longest chain of builds that cannot start before it is published.

A build waits for its build requirements and for all that these install. So a node holds up the
builds that require it, and through its install edges what holds up those that install it.
"""

from collections.abc import Callable, Iterable
from typing import Final

from wheelfleet_shared.names import NodeKey

_ROUGHLY: Final = 1e-9


class Urgency:
    """The waits of one graph, which only grow. Cost: the nodes whose chains become longer, at the next look.

    seconds: what the build of a node is expected to take; asked once a node.
    """

    def __init__(self, seconds: Callable[[NodeKey], float]) -> None:
        self._expect = seconds
        self._seconds: dict[NodeKey, float] = {}
        self._tails: dict[NodeKey, float] = {}
        self._via: dict[NodeKey, NodeKey] = {}
        self._builds_with: dict[NodeKey, list[NodeKey]] = {}
        self._installs: dict[NodeKey, list[NodeKey]] = {}
        # An ordered set: the same graph must lead to the same order in every process.
        self._moved: dict[NodeKey, None] = {}

    def seconds(self, node: NodeKey) -> float:
        """What the node's own build is expected to take."""
        found = self._seconds.get(node)
        if found is None:
            found = self._seconds[node] = self._expect(node)
        return found

    def behind(self, node: NodeKey) -> float:
        """Expected seconds of the longest chain of builds that waits for the node; 0 where none does."""
        if self._moved:
            self._carry_on()
        return self._tails.get(node, 0.0)

    def chain(self, node: NodeKey) -> tuple[NodeKey, ...]:
        """The builds of that chain, the next one first."""
        left, found = self.behind(node), list[NodeKey]()
        while (via := self._via.get(node)) is not None:
            if self._tails.get(via, 0.0) < left - _ROUGHLY:
                found.append(via)
            node, left = via, self._tails.get(via, 0.0)
        return tuple(found)

    def builds_with(self, parent: NodeKey, children: Iterable[NodeKey]) -> None:
        """The build of the parent waits for the children."""
        self._builds_with.setdefault(parent, []).extend(children)
        self._moved[parent] = None

    def installs(self, parent: NodeKey, children: Iterable[NodeKey]) -> None:
        """Whatever waits for the parent waits for the children too."""
        self._installs.setdefault(parent, []).extend(children)
        if parent in self._tails:
            self._moved[parent] = None

    def _carry_on(self) -> None:
        """Carry longer chains on to all that they wait for."""
        while self._moved:
            parent = next(iter(self._moved))
            del self._moved[parent]
            tail = self._tails.get(parent, 0.0)
            if tail:
                for child in self._installs.get(parent, ()):
                    self._lengthen(child, tail, parent)
            below = self._builds_with.get(parent)
            if below:
                longer = tail + self.seconds(parent)
                for child in below:
                    self._lengthen(child, longer, parent)

    def _lengthen(self, node: NodeKey, tail: float, via: NodeKey) -> None:
        """A ring of builds, which fails anyway, ends where it comes back to itself."""
        if tail <= self._tails.get(node, 0.0) + _ROUGHLY or self._leads_to(via, node):
            return
        self._tails[node] = tail
        self._via[node] = via
        self._moved[node] = None

    def _leads_to(self, start: NodeKey, end: NodeKey) -> bool:
        """Whether the chain behind ``start`` has ``end`` in it."""
        node: NodeKey | None = start
        while node is not None and node != end:
            node = self._via.get(node)
        return node is not None
