"""What ``wheelfleet step download-source-archive`` does."""

import asyncio
import hashlib
from pathlib import Path

from packaging.requirements import Requirement

from wheelfleet_shared.errors import InputError, SourceError
from wheelfleet_shared.names import NodeKey

from ..core.choose_version import Choice
from .indexes import OpenIndex, open_index
from .local_rules import LocalRules, local_rules
from .places import places_of
from .settings import Settings
from .stepping import step_node


def download_archive(settings: Settings, name: str, version: str, server: str) -> Path:
    """The upstream archive of a version, as settings and the index say, lies in sdists-repo; its absolute path.

    What lies there with the promised digest stays. Raises InputError where there is no such version,
    SourceError for other bytes than promised.
    """
    node = step_node(name, version)
    folder = places_of(settings).sdists.absolute() / "downloads"
    folder.mkdir(parents=True, exist_ok=True)
    return asyncio.run(_download(local_rules(settings, "sdist"), node, server, folder))


async def _download(rules: LocalRules, node: NodeKey, server: str, folder: Path) -> Path:
    async with open_index(server) as index:
        url, file_name, sha256 = await _source(rules, index, node)
        place = folder / file_name
        if sha256 and place.is_file() and hashlib.sha256(place.read_bytes()).hexdigest() == sha256:
            return place
        unchecked = place.with_name(f".{place.name}.unchecked")
        try:
            found, _ = await index.files.download(url, unchecked)
            if sha256 and found != sha256:
                raise SourceError(f"{file_name} has the sha256 {found}, and {sha256} was promised", "ask the index")
            unchecked.replace(place)
        finally:
            unchecked.unlink(missing_ok=True)
    return place


async def _source(rules: LocalRules, index: OpenIndex, node: NodeKey) -> tuple[str, str, str]:
    """URL, file name and promised sha256 (or none) of the archive."""
    stated = rules.customised.download_source_of(node)
    if stated is not None and stated.url:
        return stated.url, stated.file_name, ""
    requirement = Requirement(str(node))
    chosen = rules.choose(requirement, await index.listing(node.name, rules.index_of(node.name)))
    if not isinstance(chosen, Choice):
        raise InputError(f"{node} cannot be downloaded: {chosen.reason}", "name a version that the index has")
    candidate = chosen.candidate
    name = stated.file_name if stated is not None and stated.file_name else candidate.file_name
    return candidate.url, name, candidate.sha256
