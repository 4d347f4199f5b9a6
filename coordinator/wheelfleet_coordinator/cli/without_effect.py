"""Options of fromager's that change nothing here: accepted, and said to be without effect."""

from collections.abc import Mapping
from typing import Final

import typer

REASONS: Final[Mapping[str, str]] = {
    "--cleanup": "agents remove what a build leaves; `wheelfleet shell` opens a build's folder again",
    "--no-cleanup": "agents remove what a build leaves; `wheelfleet shell` opens a build's folder again",
    "--build-wheel-server-url": "environments are locked to files of the collection, by hash; no server is asked",
    "--envs-dir": "environment variables of a build stand in settings: `env`",
    "--bg-threads": "pages and sources are fetched side by side, as many as the index bears",
    "--network-isolation": "of a fleet, agents decide: the sandbox of each cuts builds off the network",
    "--no-network-isolation": "of a fleet, agents decide; `network: true` in the settings of one distribution gives it",
}
"""Option → what is so instead."""


def without_effect(option: str) -> str:
    """The line that says so."""
    return f"wheelfleet: {option} has no effect here: {REASONS[option]}"


def tell_without_effect(given: Mapping[str, object]) -> None:
    """One line on standard error for each of the options that was given; None: it was not."""
    for option, value in given.items():
        if value is not None:
            typer.echo(without_effect(option), err=True)


def flag_name(option: str, value: bool | None) -> str:
    """``--option`` or ``--no-option``, whichever was given."""
    return f"--{'' if value is None or value else 'no-'}{option}"
