"""What a user's overrides change of each distribution, as the rows of ``list-overrides``, in fromager's columns."""

import csv
import io
from collections.abc import Sequence

import msgspec
from packaging.utils import canonicalize_name
from packaging.version import Version

from wheelfleet_shared.core.plugins import HOOKS, OVERRIDES
from wheelfleet_shared.names import Distribution

from .customising import Customised
from .overridden import overridden
from .requirement_files import override_name


class OverrideRow(msgspec.Struct, frozen=True):
    """A distribution, or one version of it that has patches of its own; texts are empty where nothing is set.

    patches: how many are applied to it. variants: of each that settings name ``yes``, ``pre-built`` or nothing.
    """

    package: str
    version: str
    patches: str
    plugin_hooks: str
    min_release_age: str
    variants: dict[str, str]


def overridden_names(customised: Customised) -> list[str]:
    """Every distribution that has settings, patches or a plugin, sorted."""
    found = overridden(customised, customised.plugins.overrides)
    return sorted(found.settings | found.patches | found.plugins)


def override_rows(customised: Customised) -> list[OverrideRow]:
    """The rows of all distributions, by name and version."""
    variants = variant_names(customised)
    names = [canonicalize_name(name) for name in overridden_names(customised)]
    return [row for name in names for row in _rows(customised, name, variants)]


def variant_names(customised: Customised) -> list[str]:
    """Every variant that settings name, sorted."""
    of_files = {variant for name in customised.files for variant in customised.settings_of(name).variants}
    return sorted(of_files | customised.common.settings.changelog.keys())


def _rows(customised: Customised, name: Distribution, variants: Sequence[str]) -> list[OverrideRow]:
    every = customised.patches.by_name.get(override_name(name), ())
    placed = [item for item in every if item.variant in {"", customised.variant}]
    settings = customised.settings_of(name)
    age = settings.resolver_dist.min_release_age
    functions = customised.plugins.functions_of(name, OVERRIDES | set(HOOKS))
    of_all = sum(item.version is None for item in placed)
    versions = sorted({item.version for item in every if item.version is not None})
    counted: list[tuple[Version | None, int]] = [
        (version, of_all + sum(item.version == version for item in placed)) for version in versions
    ]
    ordered = sorted(functions, key=lambda function: (function not in HOOKS, function))
    told = {variant: _told(customised, name, variant) for variant in variants}
    return [
        OverrideRow(
            name,
            str(version or ""),
            str(count or ""),
            ", ".join(ordered),
            "" if age is None else str(age),
            told,
        )
        for version, count in counted or [(None, of_all)]
    ]


def _told(customised: Customised, name: Distribution, variant: str) -> str:
    found = customised.settings_of(name).variants.get(variant)
    return "" if found is None else "pre-built" if found.pre_built else "yes"


def columns(variants: Sequence[str]) -> list[str]:
    """The heads of tables and CSV."""
    return ["package", "version", "patches", "min_release_age", *variants, "plugin_hooks"]


def cells(row: OverrideRow) -> dict[str, str]:
    """The row by the heads of its columns, in the order of fromager's JSON."""
    fixed = {name: str(getattr(row, name)) for name in row.__struct_fields__ if name != "variants"}
    return fixed | row.variants


def override_csv(rows: Sequence[OverrideRow], variants: Sequence[str]) -> str:
    """The rows as CSV, as fromager writes it to a terminal and to a file."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns(variants), quoting=csv.QUOTE_NONNUMERIC)
    writer.writeheader()
    writer.writerows(cells(row) for row in rows)
    return out.getvalue()
