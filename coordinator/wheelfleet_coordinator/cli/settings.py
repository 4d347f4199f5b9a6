"""What is said before a command and holds for all of them."""

import logging
from enum import StrEnum
from pathlib import Path

import msgspec
import typer

from ..adapters.customisation_files import Overrides
from .logging_setup import show_more


class Format(StrEnum):
    """How results are printed: for people, or as one JSON document for machines."""

    TEXT = "text"
    JSON = "json"


class Settings(msgspec.Struct, frozen=True):
    """What was said before the command; None where nothing was.

    config: the credential file of a cluster. jobs: cores inside one build. slots: builds at a time
    of an embedded cluster. min_release_age: in days.
    """

    constraints: tuple[str, ...] = ()
    output_dir: Path | None = None
    sdists_repo: Path | None = None
    wheels_repo: Path | None = None
    work_dir: Path | None = None
    jobs: int | None = None
    slots: int | None = None
    sandbox: str | None = None
    variant: str = "cpu"
    overrides: Overrides = Overrides()
    min_release_age: int = 0
    config: Path | None = None
    format: Format = Format.TEXT
    quiet: bool = False
    color: bool = True

    def changed(self, output_dir: Path | None, quiet: bool, chosen: Format) -> "Settings":
        """What holds where this is said after the command; None and False leave things as they are."""
        return msgspec.structs.replace(
            self, output_dir=output_dir or self.output_dir, quiet=quiet or self.quiet, format=chosen
        )

    def overridden(self, **after: Path | int | str | None) -> "Settings":
        """What holds where these fields are said after the command too; None leaves a field as it is."""
        said = {name: value for name, value in after.items() if value is not None}
        return msgspec.structs.replace(self, **said)


def settings_of(invocation: typer.Context) -> Settings:
    """What was said before the command."""
    found = invocation.find_object(Settings)
    return found if found is not None else Settings()


def format_of(invocation: typer.Context, after: Format | None) -> Format:
    """The format asked for: what is said after the command outweighs what is said before it."""
    return after if after is not None else settings_of(invocation).format


def set_verbosity(*, verbose: bool, debug: bool) -> None:
    """Our log shows more from now on; what was asked for before stays."""
    if verbose or debug:
        show_more(logging.DEBUG if debug else logging.INFO)


def sandbox_for(network_isolation: bool | None, *, embedded: bool) -> str | None:
    """What fromager's ``--network-isolation`` means for the agent of the embedded cluster; None: nothing was said.

    A build without a sandbox has the network and more, so that is said.
    """
    if network_isolation is None or not embedded:
        return None
    if not network_isolation:
        typer.echo(
            "wheelfleet: --no-network-isolation: builds run without any sandbox, as with --sandbox none", err=True
        )
    return "auto" if network_isolation else "none"
