"""What ``package resolve`` does."""

import asyncio

import typer
from packaging.requirements import Requirement

from wheelfleet_shared.errors import InputError

from ..core.choose_version import Choice
from ..core.requirement_lines import parse_requirement
from ..core.resolution_report import Resolution, resolution_lines
from .indexes import open_index
from .local_rules import local_rules
from .settings import Settings


def print_resolution(settings: Settings, text: str, kind: str, server: str) -> None:
    """The report is printed; raises InputError, after it, where no version serves the requirement."""
    requirement = Requirement(parse_requirement(text, "the command line").text)
    rules = local_rules(settings, kind)

    async def look() -> Resolution:
        own = rules.index_of(requirement.name)
        async with open_index(server) as index:
            told = f"{own} (its settings)" if own else f"{index.choice.url} ({index.choice.origin})"
            typer.echo(f"package index: {told}")
            listing = await index.listing(requirement.name, own)
        wanted = tuple(rules.available(requirement, listing))
        return Resolution(requirement, listing, wanted, rules.choose(requirement, listing))

    found = asyncio.run(look())
    for line in resolution_lines(found, rules.constraints):
        typer.echo(line)
    if not isinstance(found.outcome, Choice):
        raise InputError(f"no version of {requirement.name} serves {text}", found.outcome.hint)
