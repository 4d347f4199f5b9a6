"""Build requirements of a source, changed as ``project_override`` of its settings asks."""

from collections.abc import Sequence

import tomlkit
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from wheelfleet_shared.names import Distribution

from .pyproject import parse_build_system


def fix_build_requires(data: bytes, update: Sequence[str], remove: Sequence[str]) -> bytes:
    """A pyproject.toml (empty: there is none) with the build requirements wanted.

    update: requirements that replace all of the same name, or are added. remove: names. As in
    fromager, setuptools is among the requirements unless removed or updated. Where the set does
    not change, no byte does. Raises SourceError for a file that cannot be read.
    """
    if not update and not remove:
        return data
    parse_build_system(data)
    document = tomlkit.parse(data.decode())
    table = document.setdefault("build-system", tomlkit.table())
    present = [str(item) for item in table.get("requires", [])]
    wanted = _merge(present, update, remove)
    if set(wanted) == set(present):
        return data
    table["requires"] = wanted
    return tomlkit.dumps(document).encode()


def _merge(present: Sequence[str], update: Sequence[str], remove: Sequence[str]) -> list[str]:
    by_name: dict[Distribution, list[str]] = {canonicalize_name("setuptools"): ["setuptools"]}
    for name, text in _named(present):
        by_name.setdefault(name, []).append(text)
    for text in remove:
        by_name.pop(canonicalize_name(text), None)
    replaced: dict[Distribution, list[str]] = {}
    for name, text in _named(update):
        replaced.setdefault(name, []).append(text)
    by_name.update(replaced)
    return sorted({text for texts in by_name.values() for text in texts})


def _named(texts: Sequence[str]) -> list[tuple[Distribution, str]]:
    requirements = [Requirement(text) for text in texts]
    return [(canonicalize_name(requirement.name), str(requirement)) for requirement in requirements]
