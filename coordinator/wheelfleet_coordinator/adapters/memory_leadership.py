"""Leadership within one process: for the simulator, and for a coordinator that is always alone."""

import asyncio


class AlwaysLeads:
    """Leads from the first moment, whoever else does."""

    async def acquire(self) -> None:
        """At once."""

    async def lost(self) -> None:
        """Never."""
        await asyncio.Event().wait()

    async def release(self) -> None:
        """Nobody waits."""


class Election:
    """One seat that the members below share; ``depose`` empties it as a missed renewal would."""

    def __init__(self) -> None:
        self._leader: object | None = None
        self._changed = asyncio.Event()

    def take(self, member: object) -> bool:
        """Whether the member leads now."""
        if self._leader is None:
            self._leader = member
        return self._leader is member

    def leads(self, member: object) -> bool:
        """Whether the seat is this member's."""
        return self._leader is member

    def depose(self) -> None:
        """Whoever leads does so no more."""
        self._leader = None
        self._changed.set()
        self._changed = asyncio.Event()

    async def change(self) -> None:
        """The seat was emptied."""
        await self._changed.wait()


class Member:
    """One coordinator's part in an election in memory."""

    def __init__(self, election: Election) -> None:
        self._election = election

    async def acquire(self) -> None:
        """Returns once the seat is this member's."""
        while not self._election.take(self):
            await self._election.change()

    async def lost(self) -> None:
        """Returns once it is not."""
        while self._election.leads(self):
            await self._election.change()

    async def release(self) -> None:
        """The seat is free if it was this member's."""
        if self._election.leads(self):
            self._election.depose()
