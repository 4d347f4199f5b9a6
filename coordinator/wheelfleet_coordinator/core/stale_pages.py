"""Index pages that do not show yet what was published, and the runs that wait for them."""

from collections.abc import Mapping, Sequence

from wheelfleet_shared.core.file import FileStatus
from wheelfleet_shared.names import IndexName, page_id

from .graph import Graph
from .world import World

Page = tuple[IndexName, str]
"""One project in one index of ours."""


def stale_pages(world: World) -> dict[Page, int]:
    """Pages that miss something → the sequence of the newest event that they must show.

    Of files that went away too, unless no file of theirs was ever published.
    """
    newest: dict[Page, int] = {}
    for file in world.files.values():
        if file.accepted is not None and file.status is not FileStatus.ACCEPTED:
            place = (file.accepted.index, file.accepted.node.name)
            if place in world.projects:
                newest[place] = max(file.last, newest.get(place, 0))
    return {place: last for place, last in newest.items() if last > _shown(world, place)}


def _shown(world: World, place: Page) -> int:
    page = world.pages.get(page_id(*place))
    return page.updated.through if page is not None and page.updated is not None else -1


def awaits_pages(stale: Mapping[Page, int], index: IndexName, graphs: Sequence[Graph]) -> bool:
    """Whether a page of one of the nodes is yet to be written; those of other runs are no matter here."""
    projects = {project for place, project in stale if place == index}
    return bool(projects) and any(key.name in projects for graph in graphs for key in graph.nodes)
