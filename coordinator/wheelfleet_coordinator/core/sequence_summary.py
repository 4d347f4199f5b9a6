"""build-sequence-summary.json and .md: what became of the entries of a saved order, in fromager's format."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

import msgspec
from packaging.utils import parse_wheel_filename
from packaging.version import Version

from .graph import Graph, StageId
from .node_result import NodeResult, node_results
from .world import World

_KEYS = ("name", "version", "prebuilt", "download_url", "wheel_filename", "skipped")
_HEADS = ("Name", "Version", "Wheel", "Source URL")


class SequenceEntry(msgspec.Struct, frozen=True):
    """One built, prebuilt or skipped entry.

    wheel_filename: absolute where it was written, else the bare name. rebuilt: what building anew came
    to, beside the published wheel; no part of the files.
    """

    name: str
    version: str
    prebuilt: bool
    download_url: str
    wheel_filename: str
    skipped: bool
    rebuilt: Literal["", "reproduced", "differs"] = ""


def sequence_entries(world: World, graph: Graph) -> list[SequenceEntry]:
    """The entries of the order that have a wheel, in the order of the file."""
    results = {result.node: result for result in node_results(world, graph)}
    found = []
    for arc in graph.stages.get(StageId(None, "toplevel"), ()):
        entry = _entry(results[arc.edge.node], prebuilt=arc.edge.source_type == "prebuilt")
        if entry is not None:
            found.append(entry)
    return found


def _entry(result: NodeResult, *, prebuilt: bool) -> SequenceEntry | None:
    accepted = result.wheel.accepted if result.wheel is not None else None
    if accepted is None:
        return None
    return SequenceEntry(
        name=result.node.name,
        version=result.node.version,
        prebuilt=prebuilt,
        download_url=result.source_url,
        wheel_filename=accepted.file.file_name,
        skipped=not prebuilt and result.status == "taken over",
        rebuilt=_rebuilt(result),
    )


def _rebuilt(result: NodeResult) -> Literal["", "reproduced", "differs"]:
    if result.rebuilt is None:
        return ""
    return "reproduced" if result.reproduced else "differs"


def sequence_json(entries: Sequence[SequenceEntry]) -> str:
    """The text of build-sequence-summary.json: one line, as fromager writes it."""
    fields = ({key: value for key, value in msgspec.structs.asdict(entry).items() if key in _KEYS} for entry in entries)
    items = (msgspec.json.encode(item).decode() for item in fields)
    return "[" + ", ".join(item.replace('":', '": ').replace(',"', ', "') for item in items) + "]"


def sequence_markdown(entries: Sequence[SequenceEntry], finished_at: float) -> str:
    """The text of build-sequence-summary.md; ``finished_at`` in seconds since the epoch."""
    when = dt.datetime.fromtimestamp(finished_at, dt.UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    parts = [
        ("New builds", "No new builds", [entry for entry in entries if not (entry.skipped or entry.prebuilt)]),
        ("Prebuilt wheels", "No pre-built wheels", [entry for entry in entries if entry.prebuilt]),
        ("Skipped existing builds", "No skipped builds", [entry for entry in entries if entry.skipped]),
    ]
    blocks = [_block(title, none, found) for title, none, found in parts]
    return "\n\n".join([f"Build sequence summary {when}\n", *blocks])


def _block(title: str, none: str, entries: Sequence[SequenceEntry]) -> str:
    if not entries:
        return f"{none}\n"
    ordered = sorted(entries, key=lambda entry: (entry.name, Version(entry.version)))
    return title + "\n" + "\n".join(_table([_row(entry) for entry in ordered], _platlibs(entries))) + "\n"


class _Row(NamedTuple):
    name: str
    version: str
    wheel: str
    source: str


def _row(entry: SequenceEntry) -> _Row:
    file_name = urlsplit(entry.download_url).path.rpartition("/")[2]
    wheel = entry.wheel_filename.rpartition("/")[2]
    return _Row(entry.name, entry.version, wheel, f"[{file_name}]({entry.download_url})")


def _platlibs(entries: Iterable[SequenceEntry]) -> int:
    """How many wheels are bound to a platform or an ABI."""
    found = (parse_wheel_filename(entry.wheel_filename.rpartition("/")[2])[3] for entry in entries)
    return sum(any(tag.platform != "any" or tag.abi != "none" for tag in tags) for tags in found)


def _table(rows: list[_Row], platlibs: int) -> list[str]:
    total = _Row(f"total: {len(rows)}", "", f"platlib: {platlibs}", "")
    cells = [_Row(*_HEADS), *rows, total]
    widths = [max(len(row[column]) for row in cells) for column in range(len(_HEADS))]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    lines = [_line(row, widths) for row in cells]
    return [lines[0], rule, *lines[1:-1], rule, lines[-1]]


def _line(row: _Row, widths: Sequence[int]) -> str:
    """The first column is justified to the right."""
    first = row[0].rjust(widths[0])
    rest = [cell.ljust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
    return f"| {' | '.join([first, *rest])} |"
