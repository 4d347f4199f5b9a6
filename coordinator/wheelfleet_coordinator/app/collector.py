"""Python's cycle collector while a log is folded: it would search a growing world again and again, and find nothing."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

MANY: Final = 50_000
"""Objects made meanwhile above which they are left alone by the collector for good."""


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """No cycle is collected within; a large world that was made within is never searched for any later.

    A third of the time of a fold goes without this. What is left alone is still freed when nothing
    refers to it, only not as a part of a cycle.
    """
    if not gc.isenabled():
        yield
        return
    before = gc.get_count()[0]
    gc.disable()
    try:
        yield
    finally:
        if gc.get_count()[0] - before > MANY:
            gc.freeze()
        gc.enable()
