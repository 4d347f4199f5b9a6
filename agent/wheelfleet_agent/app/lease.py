"""The agent's own view of its leases: when to stop building, counted on its own clock."""


class Silence:
    """Stops builds that no coordinator may know of any more.

    A lease can only end while some coordinator is up, so silence counts from the last answered
    heartbeat, but not while the bus says that nobody serves. Times in monotonic seconds.
    """

    def __init__(self, stop_after: float, now: float) -> None:
        self._stop_after = stop_after
        self._last = now

    def answered(self, now: float) -> None:
        """A coordinator answered, or the bus said that there is none."""
        self._last = now

    def too_long(self, now: float) -> bool:
        """Whether every lease may have ended by now."""
        return now - self._last > self._stop_after
