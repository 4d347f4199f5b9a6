"""What the commands that look up versions do."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from rich.console import Console
from rich.table import Table

from wheelfleet_shared.errors import InfrastructureError, SourceError

from ..core.available_versions import Pin, VersionRow, pin_of, updates, version_rows
from ..core.requirement_lines import parse_requirement
from ..core.version_tables import Update, updates_text, versions_text
from .indexes import OpenIndex, constraint_lines, merged, open_index
from .local_rules import local_rules
from .reading import put_text, tell
from .screens import console_for
from .settings import Settings

FILE_WIDTH = 120
"""Columns of a table in a file."""


def print_versions(
    settings: Settings,
    text: str,
    kind: str,
    server: str,
    how: str,
    output: Path | None,
    *,
    none_is_fine: bool,
    age_of_all: bool = False,
) -> int:
    """0 where there is a version, or none is fine; the versions are printed.

    age_of_all: settings of single distributions say nothing about ages. Raises SourceError for no version.
    """
    requirement = Requirement(parse_requirement(text, "the command line").text)
    rules = local_rules(settings, kind)

    async def look() -> list[VersionRow]:
        async with open_index(server) as index:
            listing = await index.listing(requirement.name, rules.index_of(requirement.name))
        age = rules.least_age(requirement.name, of_all=age_of_all)
        return version_rows(
            requirement.name,
            rules.available(requirement, listing),
            now=rules.ages.submitted_at,
            min_age=age,
        )

    rows = asyncio.run(look())
    if not rows and not none_is_fine:
        raise SourceError(f"no version of {requirement.name} serves {text}", f"see `wheelfleet package resolve {text}`")
    if not rows:
        return 0
    if how == "table":
        _print_table(settings, requirement.name, rows, output)
    else:
        put_text(versions_text(rows, how), output)
    return 0


def _print_table(settings: Settings, name: str, rows: list[VersionRow], output: Path | None) -> None:
    table = Table(title=f"Versions for {name}")
    judged = any(row.cooldown for row in rows)
    for head in ("Version", "Upload Time", "Age (days)", *(("Cooldown",) if judged else ())):
        table.add_column(head, justify="right" if head == "Age (days)" else "left", no_wrap=True)
    for row in rows:
        cells = (row.version, row.upload_time, row.age_days)
        table.add_row(*cells, *((row.cooldown,) if judged else ()))
    if output is None:
        console_for(settings).print(table, soft_wrap=False)
        return
    with output.open("w", encoding="utf-8") as file:
        Console(file=file, width=FILE_WIDTH).print(table)


def print_updates(settings: Settings, reference: str, kind: str, server: str, how: str, output: Path | None) -> None:
    """The updates are printed, by constraint in the file's order.

    Raises InfrastructureError, naming them, where some could not be looked up; what was found is printed all the same.
    """
    lines = constraint_lines([reference])
    stated = merged(lines)
    names = dict.fromkeys(canonicalize_name(Requirement(line.text).name) for line in lines)
    pins = {name: pin_of(constraint) for name in names if (constraint := stated.of(name)) is not None}
    found, failed = asyncio.run(_updates(settings, {name: pin for name, pin in pins.items() if pin}, kind, server))
    put_text(updates_text(found, how), output)
    if failed:
        for name, error in failed.items():
            tell(f"{name}: {error.what}")
        raise InfrastructureError(f"no answer about {', '.join(failed)}", "try again later; what is printed lacks them")


async def _updates(
    settings: Settings, pins: dict[str, Pin], kind: str, server: str
) -> tuple[list[Update], dict[str, InfrastructureError]]:
    rules = local_rules(settings, kind)

    async def of(index: OpenIndex, name: str, pin: Pin) -> list[Update] | InfrastructureError:
        try:
            listing = await index.listing(name, rules.index_of(name))
        except InfrastructureError as error:
            return error
        releases = rules.available(Requirement(name), listing)
        return [Update(name, str(version)) for version in updates(pin, releases)]

    async with open_index(server) as index:
        answers = await asyncio.gather(*(of(index, name, pin) for name, pin in pins.items()))
    by_name = dict(zip(pins, answers, strict=True))
    failed = {name: answer for name, answer in by_name.items() if isinstance(answer, InfrastructureError)}
    return list(_flat(answer for answer in answers if not isinstance(answer, InfrastructureError))), failed


def _flat(found: Iterable[list[Update]]) -> Iterable[Update]:
    return (update for updates_of_one in found for update in updates_of_one)
