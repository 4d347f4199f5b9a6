"""Package indexes that commands ask from this machine, the way the user's configuration says."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from packaging.markers import default_environment

from ..adapters.package_index import HttpPackageIndex
from ..adapters.requirement_files import fetch_content, read_requirement_files
from ..adapters.user_configuration import IndexChoice, choose_index
from ..core.candidates import ProjectListing, missing_project, read_page
from ..core.constraints import Constraints
from ..core.requirement_lines import RequirementLine
from .settings import Settings

AT_ONCE = 8
"""Projects that are asked for at the same time."""


class OpenIndex:
    """A package index; ``choice`` says which one and why."""

    def __init__(self, choice: IndexChoice, index: HttpPackageIndex) -> None:
        self.choice = choice
        self.files = index
        self._free = asyncio.Semaphore(AT_ONCE)

    async def listing(self, project: str, other_index: str = "") -> ProjectListing:
        """What the index, or another one where it is named, lists of a project.

        Raises InfrastructureError where it cannot be asked.
        """
        async with self._free:
            page = await self.files.fetch_page(other_index or self.choice.url, project)
        if page is None:
            return missing_project(project)
        return read_page(page.content, page.content_type, page.url, project)


@asynccontextmanager
async def open_index(url: str) -> AsyncIterator[OpenIndex]:
    """The index at the URL, or where it is empty the one that pip's or uv's configuration names, else PyPI."""
    choice = choose_index(url or None, os.environ, prefix=Path(sys.prefix), root=Path("/"))
    async with HttpPackageIndex(choice, os.environ, files=True) as index:
        yield OpenIndex(choice, index)


def constraint_lines(references: Iterable[str]) -> tuple[RequirementLine, ...]:
    """The lines of constraints files, here or by URL; raises InputError with file and line."""
    choice = choose_index(None, os.environ, prefix=Path(sys.prefix), root=Path("/"))
    return read_requirement_files(
        (), tuple(references), fetch=fetch_content(choice, os.environ), variables=os.environ
    ).constraints


def constraints_of(settings: Settings) -> Constraints:
    """The constraints said before the command, merged for this machine and Python; raises InputError."""
    return merged(constraint_lines(settings.constraints))


def merged(lines: Iterable[RequirementLine]) -> Constraints:
    """The lines that hold on this machine, as one; raises InputError where they contradict each other."""
    return Constraints.merge(lines, {name: str(value) for name, value in default_environment().items()})
