"""What ``download-sequence`` does."""

import asyncio
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from packaging.requirements import Requirement

from wheelfleet_shared.errors import SourceError, WheelfleetError

from ..core.choose_version import Choice
from ..core.download_plan import (
    Download,
    OrderedSource,
    Unavailable,
    read_ordered_sources,
    skipped,
    stated_file,
)
from .indexes import OpenIndex, open_index
from .local_rules import LocalRules, local_rules
from .places import Places, places_of
from .reading import read_input, tell
from .settings import Settings

AT_ONCE: Final = 8
"""Downloads at a time unless something else is said."""


class _Outcome(NamedTuple):
    """Of one entry. missing: what had to be there and is not, each as a line."""

    told: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def download_order(
    settings: Settings, reference: str, server: str, *, wheels: bool, lenient: bool, at_once: int
) -> int:
    """0 where all that is wanted is there, or it is lenient; else 1, with all that is missing told.

    Wheels of the index that are not there are told only. What lies there with the right digest stays.
    """
    entries = read_ordered_sources(read_input(reference), reference)
    places, rules = places_of(settings), local_rules(settings, "wheel")
    for folder in (places.sdists / "downloads", places.wheels / "downloads", places.wheels / "prebuilt"):
        folder.mkdir(parents=True, exist_ok=True)
    outcomes = asyncio.run(_all(entries, server, _Bringing(places, rules, wheels), at_once or AT_ONCE))
    missing = [line for outcome in outcomes for line in outcome.missing]
    for line in [told for outcome in outcomes for told in outcome.told if not settings.quiet]:
        tell(line)
    for line in missing:
        tell(f"missing: {line}")
    return 1 if missing and not lenient else 0


class _Bringing(NamedTuple):
    """Where files go, and which count."""

    places: Places
    rules: LocalRules
    wheels: bool


async def _all(entries: Sequence[OrderedSource], server: str, bringing: _Bringing, at_once: int) -> Iterable[_Outcome]:
    free = asyncio.Semaphore(at_once)
    async with open_index(server) as index:

        async def one(entry: OrderedSource) -> _Outcome:
            async with free:
                return await _entry(index, entry, bringing)

        return await asyncio.gather(*(one(entry) for entry in entries))


async def _entry(index: OpenIndex, entry: OrderedSource, bringing: _Bringing) -> _Outcome:
    why = skipped(entry, wheels=bringing.wheels)
    own = _Outcome((f"{entry.key}: {why}, skipped",)) if why else await _stated(index, entry, bringing.places)
    if not bringing.wheels or entry.prebuilt:
        return own
    built = await _built(index, entry, bringing)
    return _Outcome((*own.told, *built.told, *built.missing), own.missing)


async def _stated(index: OpenIndex, entry: OrderedSource, places: Places) -> _Outcome:
    """The file that the entry names is there."""
    try:
        found = stated_file(entry, await index.listing(entry.dist))
        return await _bring(index, found, places)
    except WheelfleetError as error:
        return _Outcome(missing=(f"{entry.key}: {error.what}",))


async def _built(index: OpenIndex, entry: OrderedSource, bringing: _Bringing) -> _Outcome:
    """The best wheel of the index for this machine is there."""
    try:
        chosen = bringing.rules.choose(Requirement(entry.key), await index.listing(entry.dist))
        if not isinstance(chosen, Choice):
            return _Outcome(missing=(f"{entry.key}: {chosen.reason}",))
        found = Download(entry.key, chosen.candidate, "wheels-repo/downloads")
        return await _bring(index, found, bringing.places)
    except WheelfleetError as error:
        return _Outcome(missing=(f"{entry.key}: {error.what}",))


async def _bring(index: OpenIndex, wanted: Download | Unavailable, places: Places) -> _Outcome:
    if isinstance(wanted, Unavailable):
        return _Outcome(missing=(f"{wanted.key}: {wanted.why}",))
    base, _, folder = wanted.folder.partition("/")
    place = (places.sdists if base == "sdists-repo" else places.wheels) / folder / wanted.candidate.file_name
    promised = wanted.candidate.sha256
    if await asyncio.to_thread(_lies_there, place, promised):
        return _Outcome((f"{place}: is there",))
    unchecked = place.with_name(f".{place.name}.unchecked")
    try:
        sha256, size = await index.files.download(wanted.candidate.url, unchecked)
        if promised and sha256 != promised:
            raise SourceError(f"{place.name} has the sha256 {sha256}, and {promised} was promised")
        unchecked.replace(place)
    finally:
        unchecked.unlink(missing_ok=True)
    checked = "as promised" if promised else "which nobody promised"
    return _Outcome((f"{place}: {size} bytes, sha256 {sha256}, {checked}",))


def _lies_there(place: Path, promised: str) -> bool:
    """Whether the file has the digest, or is there at all where none is known."""
    if not place.is_file():
        return False
    with place.open("rb") as held:
        return not promised or hashlib.file_digest(held, "sha256").hexdigest() == promised
