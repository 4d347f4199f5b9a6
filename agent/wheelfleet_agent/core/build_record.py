"""Files of a wheel's dist-info folder that say how it was built, under fromager's names."""

from collections.abc import Iterable, Mapping

import tomlkit

SETTINGS = "fromager-build-settings"


def build_record(
    settings: Mapping[str, object], system: Iterable[str], backend: Iterable[str], sdist: Iterable[str]
) -> dict[str, bytes]:
    """File name → content: the settings that were used, as TOML, and the three lists of build requirements.

    settings: JSON-like; None values are left out, since TOML has none. Requirements are sorted by
    their text, one a line; a list without any is an empty file.
    """
    lists = {"system": system, "backend": backend, "sdist": sdist}
    files = {f"fromager-build-{kind}-requirements.txt": _lines(texts) for kind, texts in lists.items()}
    return {SETTINGS: tomlkit.dumps(_without_none(settings)).encode(), **files}


def _lines(texts: Iterable[str]) -> bytes:
    return "".join(f"{text}\n" for text in sorted(set(texts))).encode()


def _without_none(value: Mapping[str, object]) -> dict[str, object]:
    return {key: _clean(item) for key, item in value.items() if item is not None}


def _clean(value: object) -> object:
    if isinstance(value, Mapping):
        return _without_none(value)
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value if item is not None]
    return value
