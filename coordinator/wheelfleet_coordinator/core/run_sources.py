"""What a run was made from, to be carried elsewhere: sources and prebuilt wheels, and the pages that listed them."""

import msgspec

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.keys import pinned_page_key, source_key
from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import NodeKey, RunId, Sha256, source_id

from .graph import GraphNode
from .world import World


class RunSource(msgspec.Struct, frozen=True):
    """The source of a node, or its wheel where it is prebuilt.

    sha256, size (bytes) and key: of what lies in our store. key empty: it never came here, since all was
    taken over; then sha256 is what the index promises, and size is 0.
    """

    node: NodeKey
    url: str
    file_name: str
    sha256: str
    size: int = 0
    key: str = ""
    prebuilt: bool = False


class RunPage(msgspec.Struct, frozen=True):
    """A page of the package index as the run saw it; url: where it lay, for its relative links."""

    project: str
    key: str
    sha256: Sha256
    content_type: str
    url: str


class RunSources(msgspec.Struct, frozen=True):
    """All sources of a run by node, on whichever target, and the pages of their projects."""

    sources: list[RunSource]
    pages: list[RunPage]


def run_sources(world: World, run: RunId) -> RunSources:
    """What the run was made from; raises InputError for an unknown run. Cost: some digests a node."""
    if run not in world.runs or world.runs[run].submitted is None:
        raise InputError(f"there is no run {run}", "see `wheelfleet runs`")
    found = {key: node for graph in world.graphs_of(run) for key, node in graph.nodes.items()}
    names = {key.name for key in found}
    listed = (world.runs[run].listed[name] for name in sorted(names & world.runs[run].listed.keys()))
    return RunSources(
        [_source(world, found[key]) for key in sorted(found)], [_page(page) for page in listed if page.page]
    )


def _source(world: World, node: GraphNode) -> RunSource:
    edge = node.first
    prebuilt = edge.source_type == "prebuilt"
    known = RunSource(node.key, edge.source_url, edge.source_name, edge.source_sha256, prebuilt=prebuilt)
    fetched = world.source(source_id(edge.source_url, edge.source_sha256)).fetched
    if fetched is None:
        return known
    file = fetched.file
    return msgspec.structs.replace(
        known, file_name=file.file_name, sha256=file.sha256, size=file.size, key=source_key(file.sha256, file.file_name)
    )


def _page(listed: e.ProjectListed) -> RunPage:
    digest = Sha256(listed.page)
    return RunPage(listed.project, pinned_page_key(digest), digest, listed.content_type, listed.url)
