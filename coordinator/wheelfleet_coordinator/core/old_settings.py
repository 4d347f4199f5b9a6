"""The configuration of fromager 0.27 and before, as one settings file a distribution.

There ``settings.yaml`` had ``packages`` and ``pre_built``, and variables stood in ``<name>.env``, of a
variant in ``<variant>/<name>.env``.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

import yaml
from packaging.utils import canonicalize_name

from wheelfleet_shared.errors import InputError

from .requirement_files import override_name
from .settings_file import read_distribution

_LISTS = "it has lists and mappings where fromager 0.27 had them"


def migrated(settings: bytes, env_files: Mapping[str, str]) -> dict[str, str]:
    """File name → text of each settings file. env_files: names relative to their folder → their text.

    Raises InputError for settings that are no YAML of that form, or that hold what no settings file may.
    """
    old = _mapping(settings)
    found: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for name, values in _items(old, "packages"):
        found[canonicalize_name(name)].update(values or {})
    for name, text in sorted(env_files.items()):
        path = PurePosixPath(name)
        place = found[canonicalize_name(path.stem)]
        variant = path.parent.name
        (_variant(place, variant) if variant else place)["env"] = variables_of(text)
    for variant, names in _items(old, "pre_built"):
        for name in names or ():
            _variant(found[canonicalize_name(name)], variant)["pre_built"] = True
    return {f"{override_name(name)}.yaml": _text(name, values) for name, values in sorted(found.items())}


def variables_of(text: str) -> dict[str, str]:
    """The variables of an ``.env`` file: ``NAME=value`` a line, quotes around a value left out."""
    lines = (line.strip() for line in text.splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name.strip(): _unquoted(value.strip()) for name, _, value in pairs}


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value


def _variant(place: dict[str, Any], variant: str) -> dict[str, Any]:
    inner: dict[str, Any] = place.setdefault("variants", {}).setdefault(variant, {})
    return inner


def _mapping(settings: bytes) -> dict[str, Any]:
    try:
        found = yaml.safe_load(settings) or {}
    except yaml.YAMLError as error:
        raise InputError(f"the old settings are no YAML: {error}", "correct them") from error
    if not isinstance(found, dict):
        raise InputError("the old settings are no mapping", f"give the file as it was: {_LISTS}")
    return found


def _items(old: dict[str, Any], key: str) -> Iterable[tuple[str, Any]]:
    section = old.get(key) or {}
    if not isinstance(section, dict):
        raise InputError(f"{key!r} of the old settings is no mapping", f"give the file as it was: {_LISTS}")
    return section.items()


def _text(name: str, values: dict[str, Any]) -> str:
    """The file; what it holds is checked as it will be when it is read."""
    text: str = yaml.safe_dump(values, sort_keys=True)
    read_distribution(text.encode(), f"{name} (migrated)")
    return text
