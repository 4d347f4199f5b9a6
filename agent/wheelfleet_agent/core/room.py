"""Who is in an agent process at one moment, so that a build which must be alone is alone.

Coordinators see to that as far as their log goes; two offers may cross on their way.
"""


class Room:
    """The builds that this process holds, or is about to claim."""

    def __init__(self) -> None:
        self._together = 0
        self._alone = False

    def enter(self, *, alone: bool) -> bool:
        """Whether one more build may be claimed now; it is inside then, until it leaves."""
        if self._alone or (alone and self._together):
            return False
        self._alone = alone
        self._together += 1
        return True

    def leave(self) -> None:
        """A build is not held here any more."""
        self._together -= 1
        self._alone = False
