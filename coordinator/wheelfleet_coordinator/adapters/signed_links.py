"""Signed URLs that stay equal for a while, so that caches of clients work."""

from typing import Final

from wheelfleet_shared.ports import Blobs, Clock

STAYS: Final = 600
"""Seconds for which a blob keeps its URL."""
HOLDS: Final = 3600
"""Seconds for which a fresh URL can be used; the oldest one given out holds for 50 minutes more."""


class SignedLinks:
    """Makes and remembers URLs; what it remembers is dropped every ten minutes."""

    def __init__(self, blobs: Blobs, clock: Clock) -> None:
        self._blobs = blobs
        self._clock = clock
        self._links: dict[str, str] = {}
        self._made_at = clock.monotonic()

    def link(self, key: str) -> str:
        """A URL that reads the blob, whether it is there or not."""
        now = self._clock.monotonic()
        if now - self._made_at >= STAYS:
            self._links, self._made_at = {}, now
        if key not in self._links:
            self._links[key] = self._blobs.sign_get(key, expires=HOLDS)
        return self._links[key]
