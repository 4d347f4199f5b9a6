"""Commands about published wheels: ``withdraw``, ``yank``."""

from typing import Annotated

import typer

from .settings import settings_of

_File = Annotated[str, typer.Argument(metavar="FILE", help="File name of a published wheel.")]
_Reason = Annotated[str, typer.Option("--reason", help="Recorded with it, and shown to installers where it is yanked.")]
_Collection = Annotated[str, typer.Option(envvar="WHEELFLEET_COLLECTION", help="Collection that the wheel is in.")]


def register(app: typer.Typer) -> None:
    """The commands are part of the application."""
    for command in (withdraw, yank):
        app.command()(command)


def withdraw(invocation: typer.Context, file: _File, reason: _Reason, collection: _Collection = "main") -> None:
    """Take a wheel out of the index; a run that wants it builds it again."""
    from .publishing_steps import withdraw_wheel

    withdraw_wheel(settings_of(invocation), collection, file, reason)


def yank(invocation: typer.Context, file: _File, reason: _Reason, collection: _Collection = "main") -> None:
    """Tell installers not to choose a wheel unless it is pinned; it stays in the index (PEP 592)."""
    from .publishing_steps import yank_wheel

    yank_wheel(settings_of(invocation), collection, file, reason)
