"""Times of functions, which the log of a build tells anyway."""

from collections.abc import Callable
from typing import Any, TypeVar

from wheelfleet_agent.plugin_child.unoffered import stand_ins

Function = TypeVar("Function", bound=Callable[..., Any])


def timeit(description: str) -> Callable[[Function], Function]:
    """The function as it is."""
    del description
    return lambda function: function


__getattr__ = stand_ins(__name__)
