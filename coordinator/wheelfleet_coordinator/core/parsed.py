"""Requirements parsed once: a walk meets the same texts in many nodes, and again in every lock."""

from functools import lru_cache

from packaging.requirements import Requirement


@lru_cache(maxsize=1 << 15)
def parsed(text: str) -> Requirement:
    """The requirement, shared by all who ask for the same text: it is read, never changed.

    Raises packaging.requirements.InvalidRequirement. Cost: 20 to 100 µs at first.
    """
    return Requirement(text)
