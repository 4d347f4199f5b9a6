"""One attempt, from the claim to its result in the log."""

import asyncio
import hashlib
import logging
from pathlib import Path

import msgspec

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core import messages as m
from wheelfleet_shared.errors import InfrastructureError
from wheelfleet_shared.names import Sha256

from ..adapters.transfer import TransferFault
from .desk_client import DeskClient
from .ports import AttemptEnded, AttemptFiles, Builder

logger = logging.getLogger(__name__)


class Attempt:
    """Builds what one claim is for. ``phase`` is what the heartbeat tells of it."""

    def __init__(self, offer: m.Offer, fence: int) -> None:
        self.build = offer.build
        self.fence = fence
        self.phase = "start"
        self.stopped: e.AbortKind | None = None

    def enter(self, phase: str) -> None:
        """Name what is done now, for those who watch."""
        self.phase = phase


async def work_of(desk: DeskClient, attempt: Attempt) -> m.Work | None:
    """What to do under the fence; None when it is not current."""
    while True:
        answer = await desk.insist("start", m.Start(attempt.build, attempt.fence))
        if isinstance(answer, m.Work):
            return answer
        if not isinstance(answer, m.NotCurrent) or not answer.pending:
            return None
        await asyncio.sleep(0.2)


async def carry_out(desk: DeskClient, attempt: Attempt, work: m.Work, builder: Builder, files: AttemptFiles) -> None:
    """Build and report; on return the log holds the attempt's end, or the fence is not current.

    When cancelled, the builder's processes are gone and AttemptAborted says why.
    """
    try:
        result: e.BuildEvent = await builder.carry_out(work, attempt.enter, files.log, files.upload)
    except AttemptEnded as ended:
        result = e.AttemptAborted(attempt.fence, ended.kind, ended.detail)
    except TransferFault as fault:
        result = e.AttemptAborted(attempt.fence, fault.direction, fault.what)
    except InfrastructureError as error:
        result = e.AttemptAborted(attempt.fence, "upload", error.what)
    except asyncio.CancelledError:
        if attempt.stopped is None:
            raise
        result = e.AttemptAborted(attempt.fence, attempt.stopped)
    except Exception as error:
        logger.exception("attempt %s of build %s ended by a fault of ours", attempt.fence, attempt.build)
        result = e.AttemptAborted(attempt.fence, "lost", f"{type(error).__name__}: {error}")
    attempt.enter("report")
    log = await files.close()
    if isinstance(result, e.WheelBuilt | e.MetadataPrepared | e.BuildFailed | e.AttemptAborted):
        result = msgspec.structs.replace(result, log=log)
    if not await desk.report(attempt.build, attempt.fence, result):
        logger.info("the lease of build %s (fence %d) ended: its result is dropped", attempt.build, attempt.fence)


def file_ref(path: Path) -> e.FileRef:
    """The file's name, sha256 and size. Cost: reads the file once."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return e.FileRef(path.name, Sha256(digest), path.stat().st_size)
