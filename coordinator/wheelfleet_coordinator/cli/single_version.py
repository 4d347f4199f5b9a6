"""One version of a distribution, found on the index that is named: what ``build`` builds."""

import asyncio
import os

from packaging.requirements import Requirement

from wheelfleet_shared.core.bundle import Entry
from wheelfleet_shared.errors import InputError, SourceError
from wheelfleet_shared.names import NodeKey

from ..adapters.package_index import HttpPackageIndex
from ..adapters.this_target import this_target
from ..adapters.user_configuration import IndexChoice
from ..core.candidates import ProjectListing, missing_project, read_page
from ..core.choose_version import Choice, Parent, choose
from ..core.constraints import Constraints
from ..core.customised_choice import Ages, sought_for, source_of
from ..core.customising import Customised
from .customising import checked_customisation
from .settings import Settings


def entry_of_version(name: str, version: str, choice: IndexChoice, settings: Settings) -> Entry:
    """The version as the index lists it, or as the settings say where it comes from.

    Raises SourceError where it is not there, InfrastructureError where the index does not answer.
    """
    customised = Customised.parse(checked_customisation(settings))
    requirement = Requirement(f"{name}=={version}")
    listing = asyncio.run(_listing(name, choice))
    found = choose(
        requirement,
        listing,
        Parent(None, "toplevel"),
        constraints=Constraints.merge((), {}),
        target=this_target(),
        sought=sought_for(requirement, "toplevel", customised, Ages()),
    )
    if not isinstance(found, Choice):
        raise SourceError(found.reason, found.hint)
    source = source_of(found.candidate, NodeKey(name, found.version), customised, stated=False)
    if not source.url:
        raise InputError(f"{requirement} has no source", "give one in its settings: download_source")
    return Entry(name, found.version, source.url, source.sha256, source.type == "prebuilt", str(requirement))


async def _listing(name: str, choice: IndexChoice) -> ProjectListing:
    async with HttpPackageIndex(choice, os.environ, files=True) as index:
        page = await index.fetch_page(choice.url, name)
    if page is None:
        return missing_project(name)
    return read_page(page.content, page.content_type, page.url, name)
