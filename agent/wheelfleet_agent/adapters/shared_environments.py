"""Environments of locked files, made once for all builds that lock the same: builds see them read-only.

Half of the builds of a tree need the very environment that another has; to make one costs two starts
of uv and a link for each file.
"""

import asyncio
import contextlib
import hashlib
import secrets
import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from wheelfleet_shared.names import Sha256

from .environment import Environment, Uv, make_environment, moved

MOST_IDLE: Final = 24
"""Environments kept that no build uses; what was used longest ago goes first."""


class Locked(NamedTuple):
    """What an environment is: an interpreter and wheels, by digest and by place."""

    interpreter: Path
    wheels: Sequence[tuple[Sha256, Path]]

    @property
    def key(self) -> str:
        """The same for all that lock the same."""
        parts = (str(self.interpreter), *sorted(digest for digest, _ in self.wheels))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


class SharedEnvironments:
    """``lease`` gives an environment for as long as a build needs it. Whatever an earlier process left is dropped.

    Use it only where no build can write to its environment: one that could would reach all others.
    """

    def __init__(self, folder: Path, uv: Uv) -> None:
        self._folder = folder
        self._uv = uv
        self._made: dict[str, Environment] = {}
        self._users: dict[str, int] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        shutil.rmtree(folder, ignore_errors=True)

    @contextlib.asynccontextmanager
    async def lease(self, locked: Locked) -> AsyncIterator[Environment]:
        """An environment that holds exactly these wheels; raises as ``make_environment``."""
        key = locked.key
        self._users[key] = self._users.get(key, 0) + 1
        try:
            async with self._locks.setdefault(key, asyncio.Lock()):
                if key not in self._made:
                    self._made[key] = await self._make(locked)
            yield self._made[key]
        finally:
            self._users[key] -= 1
            if key in self._made:
                self._made[key] = self._made.pop(key)  # the last one used is the last one to go
            for folder in self._idle_too_many():
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _make(self, locked: Locked) -> Environment:
        """Made under a name of its own first, so that half an environment is never found."""
        place = self._folder / f"new-{secrets.token_hex(8)}"
        try:
            made = await make_environment(self._uv, locked.interpreter, [path for _, path in locked.wheels], place)
            return await asyncio.to_thread(moved, made, self._folder / locked.key)
        finally:
            await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)

    def _idle_too_many(self) -> list[Path]:
        """The folders of those that are given up, already under names that nobody looks for."""
        idle = [key for key in self._made if not self._users[key]]
        folders = []
        for key in idle[: max(0, len(idle) - MOST_IDLE)]:
            old = self._folder / f"old-{secrets.token_hex(8)}"
            self._made.pop(key).folder.rename(old)
            del self._users[key], self._locks[key]
            folders.append(old)
        return folders
