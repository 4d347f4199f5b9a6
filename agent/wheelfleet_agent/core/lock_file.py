"""A lock as uv writes it (PEP 751): exactly these wheels, by sha256."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from wheelfleet_shared.errors import InfrastructureError
from wheelfleet_shared.names import Sha256


class LockedWheel(NamedTuple):
    """One wheel of an environment. url: of http, https or file."""

    name: str
    version: str
    file_name: str
    url: str
    sha256: Sha256


def read_lock(text: str, tags: Sequence[str]) -> tuple[LockedWheel, ...]:
    """The wheels, by name; of several of one distribution that with the first of the tags.

    Raises InfrastructureError for another document than uv's, or one without a fitting wheel or its sha256.
    """
    try:
        found = [_chosen(entry, tags) for entry in tomllib.loads(text).get("packages", [])]
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise InfrastructureError(
            f"uv wrote a lock that cannot be read: {type(error).__name__} {error}", "report this: uv changed"
        ) from error
    return tuple(sorted(found))


def _chosen(entry: Mapping[str, Any], tags: Sequence[str]) -> LockedWheel:
    ranked = [(rank, wheel) for wheel in entry["wheels"] if (rank := _rank(_file_name(wheel), tags)) is not None]
    if not ranked:
        raise ValueError(f"no wheel of {entry['name']} fits")
    _, wheel = min(ranked, key=lambda pair: pair[0])
    digest = Sha256(wheel["hashes"]["sha256"])
    return LockedWheel(entry["name"], entry["version"], _file_name(wheel), wheel["url"], digest)


def _file_name(wheel: Mapping[str, Any]) -> str:
    return str(wheel.get("name") or PurePosixPath(unquote(urlsplit(wheel["url"]).path)).name)


def _rank(file_name: str, tags: Sequence[str]) -> int | None:
    try:
        fitting = {str(tag) for tag in parse_wheel_filename(file_name)[3]}
    except InvalidWheelFilename:
        return None
    return next((place for place, tag in enumerate(tags) if tag in fitting), None)
