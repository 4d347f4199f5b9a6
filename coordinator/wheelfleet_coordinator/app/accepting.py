"""File names given to wheels, whichever way these came."""

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.envelope import Aggregate
from wheelfleet_shared.core.file import WheelFile
from wheelfleet_shared.names import FileId

from ..core import decisions
from ..core.world import World
from .committer import Committer


async def accept(world: World, committer: Committer, event: e.Accepted) -> WheelFile:
    """What the file name means now: these bytes, or those that had it before.

    A revision that goes away meanwhile makes room for the next, which is decided on anew.
    """
    while True:
        before = world.file(event.index, event.file.file_name).id
        await committer.commit(Aggregate("file", before), _offer(before, event))
        after = world.file(event.index, event.file.file_name)
        if after.id == before:
            return after


def _offer(file: FileId, event: e.Accepted) -> decisions.Decide:
    return lambda world: decisions.accept(world.files.get(file) or WheelFile(file), event)
