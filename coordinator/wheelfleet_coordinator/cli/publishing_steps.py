"""What the commands about published wheels do."""

import asyncio

import typer

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core import messages as m
from wheelfleet_shared.core.envelope import Aggregate
from wheelfleet_shared.errors import InfrastructureError, InputError
from wheelfleet_shared.names import IndexName

from .connection import Link, linked
from .inputs import index_name
from .settings import Settings

TRIES = 5
"""How often an event is appended again after others came in between."""


def withdraw_wheel(settings: Settings, collection: str, file_name: str, reason: str) -> None:
    """The file is out of the index; raises InputError where the index has no such file."""
    sha256 = _say(settings, index_name(collection, settings.variant), file_name, e.WheelWithdrawn(reason))
    typer.echo(f"{file_name} (sha256 {sha256}) is withdrawn; a run that wants it builds it again")


def yank_wheel(settings: Settings, collection: str, file_name: str, reason: str) -> None:
    """The file is yanked; raises InputError where the index has no such file."""
    sha256 = _say(settings, index_name(collection, settings.variant), file_name, e.WheelYanked(reason))
    typer.echo(f"{file_name} (sha256 {sha256}) is yanked")


def _say(settings: Settings, index: IndexName, file_name: str, event: e.WheelWithdrawn | e.WheelYanked) -> str:
    """The sha256 of the file that the event is about, once it is in the log."""

    async def work() -> str:
        async with linked(settings) as link:
            return await _append(link, index, file_name, event)

    return asyncio.run(work())


async def _append(link: Link, index: IndexName, file_name: str, event: e.WheelWithdrawn | e.WheelYanked) -> str:
    for _ in range(TRIES):
        found = await link.ask(m.FileAsk(index, file_name), m.FileAnswer)
        if found.status != "published":
            raise InputError(f"index {index} has no {file_name}", "its pages list what it has")
        if await link.append(Aggregate("file", found.file), found.last, event):
            return found.sha256
    raise InfrastructureError(f"{file_name} moves too fast to be changed now", "try again")
