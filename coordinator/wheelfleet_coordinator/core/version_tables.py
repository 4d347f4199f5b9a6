"""Versions and updates as texts for machines, in fromager's formats."""

import csv
import io
from collections.abc import Iterable, Sequence

import msgspec

from .available_versions import VersionRow
from .indented_json import indented_json


class Update(msgspec.Struct, frozen=True):
    """A version that a constraint keeps out, with the name of its distribution."""

    name: str
    version: str


def versions_text(rows: Sequence[VersionRow], how: str) -> str:
    """The rows as ``versions``, ``requirements``, ``csv`` or ``json``; the first two leave out what is too young."""
    if how == "json":
        return indented_json(rows) + "\n"
    if how == "csv":
        return _csv(VersionRow.__struct_fields__, map(msgspec.structs.astuple, rows), csv.QUOTE_NONNUMERIC)
    old_enough = [row for row in rows if row.cooldown != "blocked"]
    return "".join(
        f"{row.package}=={row.version}\n" if how == "requirements" else f"{row.version}\n" for row in old_enough
    )


def updates_text(found: Sequence[Update], how: str) -> str:
    """The updates as ``requirements``, ``csv`` or ``json``; none give an empty list or a bare heading."""
    if how == "json":
        return indented_json(found) + "\n"
    if how == "csv":
        return _csv(Update.__struct_fields__, map(msgspec.structs.astuple, found), csv.QUOTE_MINIMAL)
    return "".join(f"{update.name}=={update.version}\n" for update in found)


def _csv(head: Iterable[str], rows: Iterable[Sequence[object]], quoting: int) -> str:
    out = io.StringIO()
    writer = csv.writer(out, quoting=quoting)  # type: ignore[arg-type]
    writer.writerow(head)
    writer.writerows(rows)
    return out.getvalue()
