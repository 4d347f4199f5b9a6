"""The machine's clocks."""

import time


class SystemClock:
    """Time as the operating system tells it; implements ports.Clock."""

    def now(self) -> float:
        """Seconds since the Unix epoch, UTC; jumps when the machine's time is set."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never run backwards, from an arbitrary start."""
        return time.monotonic()
