"""Build orders as tables: one file as rows, or several side by side."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
from packaging.utils import canonicalize_name

from wheelfleet_shared.errors import InputError

from .graph_reading import LinkedGraph
from .requirement_files import override_name

_COLUMNS: Final = {
    "dist": "Distribution Name",
    "version": "Version",
    "req": "Original Requirement",
    "type": "Dependency Type",
    "prebuilt": "Pre-built Package",
    "order": "Build Order",
}


class OrderRow(msgspec.Struct, frozen=True):
    """One entry of a build order. type: which kind of requirement led to it, which only old files tell."""

    dist: str
    version: str
    req: str = ""
    type: str = ""
    prebuilt: bool = False


def read_order_rows(content: bytes, origin: str) -> list[OrderRow]:
    """The entries of a build-order.json, as they stand; raises InputError for any other content."""
    try:
        return msgspec.json.decode(content, type=list[OrderRow])
    except msgspec.DecodeError as error:
        raise InputError(f"{origin} is no build order: {error}", "give a work-dir/build-order.json") from error


def with_kinds(rows: Iterable[OrderRow], graph: LinkedGraph) -> list[OrderRow]:
    """The rows with the kinds of requirements that lead to each in a graph, where the row itself has none."""
    return [row if row.type else msgspec.structs.replace(row, type=_kinds(row, graph)) for row in rows]


def numbered(rows: Iterable[OrderRow]) -> list[dict[str, str | bool | int]]:
    """The rows with their place in the order, counted from 1."""
    return [{**msgspec.structs.asdict(row), "order": number} for number, row in enumerate(rows, 1)]


def order_csv(rows: Iterable[OrderRow]) -> str:
    """The table of one build order as CSV (RFC 4180), texts quoted."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(_COLUMNS.values())
    writer.writerows([row[column] for column in _COLUMNS] for row in numbered(rows))
    return out.getvalue()


class SummaryRow(msgspec.Struct, frozen=True):
    """A distribution over several files. versions: of each file, empty where it is not in it."""

    name: str
    versions: tuple[str, ...]
    same_version: bool


def summary_rows(orders: Sequence[Iterable[OrderRow]]) -> list[SummaryRow]:
    """All distributions of some build orders, by name in its override form.

    Several versions in one file stand in one cell, with commas; they are never the same version.
    """
    columns = [_versions(rows) for rows in orders]
    names = sorted({name for column in columns for name in column})
    return [_summary_row(name, [column.get(name, "") for column in columns]) for name in names]


def summary_csv(names: Sequence[str], rows: Iterable[SummaryRow]) -> str:
    """The rows as CSV; names: what stands above the column of each file."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(("Distribution Name", *names, "Same Version"))
    writer.writerows((row.name, *row.versions, str(row.same_version)) for row in rows)
    return out.getvalue()


def _kinds(row: OrderRow, graph: LinkedGraph) -> str:
    key = f"{canonicalize_name(row.dist)}=={row.version}"
    return " ".join(dict.fromkeys(link.kind for link in graph.into(key))) if key in graph.nodes else ""


def _versions(rows: Iterable[OrderRow]) -> Mapping[str, str]:
    found: dict[str, dict[str, None]] = {}
    for row in rows:
        found.setdefault(override_name(canonicalize_name(row.dist)), {})[row.version] = None
    return {name: ", ".join(versions) for name, versions in found.items()}


def _summary_row(name: str, versions: list[str]) -> SummaryRow:
    held = set(filter(None, versions))
    return SummaryRow(name, tuple(versions), len(held) == 1 and ", " not in held.pop())
