"""Who leads: one coordinator carries out, the others stand by.

Leadership saves work and is no safety: two leaders only lose compare-and-appends to each other.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

logger = logging.getLogger(__name__)


class Leadership(Protocol):
    """One coordinator's part in the election."""

    async def acquire(self) -> None:
        """Returns once this coordinator leads; outlasts faults of the infrastructure."""

    async def lost(self) -> None:
        """Returns once it can no longer be sure to lead."""

    async def release(self) -> None:
        """Another one may lead at once; raises nothing."""


async def take_turns(leadership: Leadership, lead: Callable[[], None], stand_by: Callable[[], Awaitable[None]]) -> None:
    """Lead while elected and stand by otherwise, until cancelled; then let another one lead."""
    try:
        while True:
            await leadership.acquire()
            logger.info("leading")
            lead()
            await leadership.lost()
            logger.warning("standing by: another coordinator may lead")
            await stand_by()
    finally:
        await stand_by()
        await leadership.release()
