"""The summaries of a saved order's run, with the places of the wheels on this machine."""

from collections.abc import Sequence

import msgspec

from ..core.sequence_summary import SequenceEntry, sequence_json, sequence_markdown
from .places import Places


def placed(entries: Sequence[SequenceEntry], places: Places) -> list[SequenceEntry]:
    """The entries with the absolute path of each wheel."""
    return [
        msgspec.structs.replace(
            entry,
            wheel_filename=str(places.wheels.absolute() / _folder(entry) / entry.wheel_filename),
        )
        for entry in entries
    ]


def _folder(entry: SequenceEntry) -> str:
    if entry.rebuilt == "differs":
        return "build"
    return "prebuilt" if entry.prebuilt else "downloads"


def write_sequence_summary(entries: Sequence[SequenceEntry], finished_at: float, places: Places) -> None:
    """``build-sequence-summary.json`` and ``.md`` lie in the work folder."""
    found = placed(entries, places)
    places.work.mkdir(parents=True, exist_ok=True)
    (places.work / "build-sequence-summary.json").write_text(sequence_json(found))
    (places.work / "build-sequence-summary.md").write_text(sequence_markdown(found, finished_at))
