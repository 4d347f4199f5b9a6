"""What a bootstrap would do with its requirements, told without queuing anything."""

import asyncio
import os
from collections.abc import Iterator, Sequence

import msgspec
import typer
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.envelope import Aggregate
from wheelfleet_shared.core.targets import TargetDefinition
from wheelfleet_shared.errors import InfrastructureError, WheelfleetError
from wheelfleet_shared.names import TargetId

from ..adapters.package_index import HttpPackageIndex
from ..core.candidates import ProjectListing, missing_project, read_page
from ..core.constraints import Constraints
from ..core.foresight import Foreseen, Shelf, foresee
from ..core.previous_graph import PreviousGraph
from ..core.requirement_lines import RequirementLine
from ..core.resolve_stage import RunRules
from .connection import Link, http_url_of
from .existing import held_listings
from .inputs import Checked
from .run_commands import print_json
from .settings import Format, Settings


class DryRun(msgspec.Struct, frozen=True, tag_field="type", tag=True):
    """All that would be queued, for machines. requirements: one entry a requirement and target.

    index: that wheels would go to. source_index: the package index.
    """

    requirements: tuple[Foreseen, ...]
    constraints: tuple[str, ...]
    previous_graph: bool
    index: str
    source_index: str
    targets: tuple[TargetId, ...]
    output: dict[str, str]


async def tell_dry_run(link: Link, checked: Checked, targets: Sequence[TargetId], settings: Settings) -> int:
    """0 where each requirement has a version, else 1; what would be queued is printed.

    Raises InfrastructureError where the package index, or the index of ours, cannot be reached.
    """
    listings, shelves = await _pages(link, checked)
    definitions = [await _definition(link, target) for target in targets]
    found = tuple(
        outcome
        for definition in definitions
        for outcome in foresee(checked.requirements, _rules(checked, definition), listings, shelves)
    )
    told = DryRun(
        requirements=found,
        constraints=tuple(text for text, _ in checked.inputs.constraints),
        previous_graph=bool(checked.inputs.previous_graph),
        index=str(checked.into),
        source_index=checked.choice.url,
        targets=tuple(targets),
        output={name: str(place) for name, place in checked.places._asdict().items()},
    )
    if settings.format is Format.JSON:
        print_json(told)
    else:
        typer.echo("\n".join(_lines(told)))
    return 1 if any(outcome.status == "no version" for outcome in found) else 0


def _lines(told: DryRun) -> Iterator[str]:
    yield f"nothing is queued; into {told.index}, with sources from {told.source_index}:"
    for item in told.requirements:
        yield f"  {item.requirement} on {item.target}: {_outcome(item)}"
        if item.why:
            yield f"    {item.why}"
        if item.hint:
            yield f"    next: {item.hint}"
    if told.constraints:
        yield f"  constraints: {', '.join(told.constraints)}"
    if told.previous_graph:
        yield "  versions of the previous graph are preferred"
    yield f"  output: {', '.join(told.output.values())}"
    yield "  what these need is found while they are built"


def _outcome(item: Foreseen) -> str:
    match item.status:
        case "build":
            return f"{item.version} would be built from {item.source}"
        case "take over":
            return f"{item.version} would be taken over: {item.wheel} is in {item.wheel_from}"
        case status:
            return status


async def _definition(link: Link, target: TargetId) -> TargetDefinition:
    """What the target means, as the log fixes it."""
    for recorded in await link.log.read_aggregate(Aggregate("target", target)):
        if isinstance(recorded.event, e.TargetDefined):
            return recorded.event.definition
    raise InfrastructureError(f"the log does not define {target}", "`wheelfleet agents` tells who offers it")


def _rules(checked: Checked, definition: TargetDefinition) -> RunRules:
    lines = [RequirementLine(text, origin) for text, origin in checked.inputs.constraints]
    previous = checked.inputs.previous_graph
    return RunRules(
        target=definition,
        constraints=Constraints.merge(lines, definition.marker_environment),
        previous=PreviousGraph.parse(previous.encode(), "the previous graph") if previous else None,
        as_of=checked.options.as_of,
        hashes=checked.options.hashes,
    )


async def _pages(link: Link, checked: Checked) -> tuple[dict[str, ProjectListing], list[Shelf]]:
    """What the package index lists, and the wheels at hand: of our index, then of the cache servers."""
    projects = sorted({str(canonicalize_name(Requirement(text).name)) for text in checked.requirements})
    async with HttpPackageIndex(checked.choice, os.environ, files=True) as index:
        listings = await _listings(index, checked.choice.url, projects)
        if checked.options.force or checked.options.sdist_only:
            return listings, []
        ours = f"{await http_url_of(link)}/indexes/{checked.into}/simple/"
        shelves = [Shelf(str(checked.into), await held_listings(ours, link.credential, projects))]
        for server in checked.options.cache_servers:
            try:
                shelves.append(Shelf(server, await _listings(index, server, projects)))
            except WheelfleetError as error:
                # As in a run: a cache only spares work.
                typer.echo(f"{server} is not looked at: {error.what}", err=True)
        return listings, shelves


async def _listings(index: HttpPackageIndex, url: str, projects: Sequence[str]) -> dict[str, ProjectListing]:
    async def listing(project: str) -> ProjectListing:
        page = await index.fetch_page(url, project)
        if page is None:
            return missing_project(project)
        return await asyncio.to_thread(read_page, page.content, page.content_type, page.url, project)

    found = await asyncio.gather(*(listing(project) for project in projects))
    return dict(zip(projects, found, strict=True))
