"""What the agent's loop needs of the part that really builds; the simulator brings its own."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal, Protocol

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.messages import Work

Result = e.SourcePrepared | e.MetadataPrepared | e.WheelBuilt | e.BuildBlocked | e.BuildFailed
UploadKind = Literal["wheel", "sdist", "log"]
Upload = Callable[[Path, e.FileRef, UploadKind], Awaitable[None]]
"""Stores a file of the attempt; raises AttemptEnded when that cannot be."""


class AttemptEnded(Exception):
    """The attempt cannot go on, and the distribution is not to blame."""

    def __init__(self, kind: e.AbortKind, detail: str = "") -> None:
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind = kind
        self.detail = detail


class LogSink(Protocol):
    """Where the lines of an attempt go, as they come."""

    def write(self, data: bytes) -> None:
        """Keep the bytes and show them to whoever follows; never blocks."""


class AttemptFiles(Protocol):
    """What one attempt leaves behind outside the event log: its log, and the files of its result."""

    @property
    def log(self) -> LogSink:
        """Where the lines of the attempt go."""

    async def upload(self, path: Path, file: e.FileRef, kind: UploadKind) -> None:
        """The file is stored; raises AttemptEnded when the lease is over, TransferFault when it cannot be."""

    async def close(self) -> e.FileRef | None:
        """The whole log is stored; None where that could not be done. Raises nothing."""


class Builder(Protocol):
    """Carries out one attempt on this host."""

    async def carry_out(self, work: Work, phase: Callable[[str], None], log: LogSink, upload: Upload) -> Result:
        """The attempt's result, with everything it names uploaded.

        A failure that is the distribution's comes back as BuildFailed; raises AttemptEnded for all
        others. When cancelled it leaves no process behind.
        """
