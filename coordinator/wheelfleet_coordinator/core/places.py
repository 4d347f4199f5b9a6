"""Which nodes of active graphs look at a build or a source, so that what moves it wakes them."""

from collections.abc import Collection
from typing import Generic, TypeVar

from wheelfleet_shared.names import GraphId, NodeKey

Place = tuple[GraphId, NodeKey]
K = TypeVar("K")


class Places(Generic[K]):
    """Key → the places that look at it, in the order in which they came: the same in every process."""

    def __init__(self) -> None:
        self._places: dict[K, dict[Place, None]] = {}
        self._keys: dict[GraphId, dict[K, None]] = {}

    def add(self, key: K, place: Place) -> None:
        """The place looks at the key from now on."""
        self._places.setdefault(key, {})[place] = None
        self._keys.setdefault(place[0], {})[key] = None

    def of(self, key: K) -> Collection[Place]:
        """The places that look at the key."""
        return self._places.get(key, {})

    def forget(self, graph: GraphId) -> list[Place]:
        """No place of the graph looks at anything; the places of others that shared a key with it.

        Cost: linear in what the graph looked at.
        """
        shared: dict[Place, None] = {}
        for key in self._keys.pop(graph, ()):
            left = {place: None for place in self._places.pop(key, {}) if place[0] != graph}
            if left:
                self._places[key] = left
                shared.update(left)
        return list(shared)
