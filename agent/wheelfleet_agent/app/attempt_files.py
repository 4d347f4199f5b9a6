"""The log of an attempt, kept in a file and shown as it comes; and the files of its result, stored."""

import asyncio
import contextlib
import logging
import shutil
from pathlib import Path
from typing import Final

from wheelfleet_shared.adapters.build_log_stream import BuildLogWriter
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core import messages as m
from wheelfleet_shared.errors import WheelfleetError

from ..adapters.transfer import Transfer
from .attempt import file_ref
from .desk_client import DeskClient
from .ports import AttemptEnded, UploadKind

logger = logging.getLogger(__name__)

_SHOW_EVERY: Final = 0.2
"""Seconds for which lines are gathered before they are sent to those who follow."""


class FileLog:
    """A log on disk; lines that were not shown yet are taken with ``take``."""

    def __init__(self, path: Path) -> None:
        # Unbuffered: the log of an attempt that is killed is what people look for first.
        self._stream = path.open("ab", buffering=0)
        self._unseen: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Keep the bytes and have them shown soon."""
        self._stream.write(data)
        self._unseen.append(data)

    def take(self) -> bytes:
        """What was written since the last call."""
        unseen, self._unseen = self._unseen, []
        return b"".join(unseen)

    def close(self) -> None:
        """All of it is in the file."""
        self._stream.close()


class StoredFiles:
    """ports.AttemptFiles over the desk's grants. Make it inside the running loop."""

    def __init__(self, desk: DeskClient, transfer: Transfer, work: m.Work, folder: Path, shown: BuildLogWriter) -> None:
        self._desk = desk
        self._transfer = transfer
        self._work = work
        self._path = folder / "build.log"
        self._shown = shown
        self.log = FileLog(self._path)
        self._showing = asyncio.create_task(self._show())

    async def upload(self, path: Path, file: e.FileRef, kind: UploadKind) -> None:
        """The file is stored; see ports.AttemptFiles."""
        grant = await self._desk.insist("upload", m.UploadAsk(self._work.build, self._work.fence, file, kind))
        if not isinstance(grant, m.UploadGrant):
            raise AttemptEnded("lost", "the lease ended before the upload")
        await self._transfer.send(path, grant)

    async def close(self) -> e.FileRef | None:
        """The log is complete for followers and, where the lease still holds, in the store."""
        self._showing.cancel()
        await asyncio.gather(self._showing, return_exceptions=True)
        await self._show_rest()
        self.log.close()
        log = file_ref(self._path)
        try:
            await self.upload(self._path, log, "log")
        except (WheelfleetError, AttemptEnded) as error:
            logger.info("the log of build %s stays on this host: %s", self._work.build, error)
            return None
        shutil.rmtree(self._path.parent, ignore_errors=True)
        return log

    async def _show(self) -> None:
        while True:
            await asyncio.sleep(_SHOW_EVERY)
            await self._show_rest()

    async def _show_rest(self) -> None:
        unseen = self.log.take()
        if unseen:
            with contextlib.suppress(WheelfleetError):
                await self._shown.write(unseen)
