"""The configuration of pip, read as pip reads it for ``pip install``, without starting pip.

Files, each overriding those before: global, user, site, PIP_CONFIG_FILE; in them the section
``[install]`` overrides ``[global]``; variables ``PIP_<OPTION>`` override all files.
"""

import configparser
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from wheelfleet_shared.errors import InputError

_SECTIONS = ("global", "install")
_FURTHER = ("extra-index-url", "find-links")


class Setting(NamedTuple):
    """A configured value and where it stands, in words."""

    value: str
    origin: str


class PipConfiguration:
    """The settings of all levels, merged."""

    def __init__(self, settings: Mapping[str, Setting]) -> None:
        self._settings = settings

    @classmethod
    def read(cls, environment: Mapping[str, str], *, prefix: Path, root: Path) -> "PipConfiguration":
        """The configuration in force; raises InputError naming a file that cannot be read."""
        sections: dict[str, dict[str, Setting]] = {section: {} for section in _SECTIONS}
        for path in _files(environment, prefix, root):
            for section, option, value in _items(path):
                if section in sections:
                    sections[section][option] = Setting(value, f"pip's configuration ({path})")
        merged: dict[str, Setting] = {}
        for section in _SECTIONS:
            merged.update({option: setting for option, setting in sections[section].items() if setting.value})
        merged.update(_variables(environment))
        return cls(merged)

    def setting(self, option: str) -> Setting | None:
        """The value of a long option, named without its dashes."""
        return self._settings.get(option)

    def further_indexes(self) -> Iterator[Setting]:
        """Indexes and folders besides the default index, one at a time."""
        for option in _FURTHER:
            setting = self.setting(option)
            for value in setting.value.split() if setting is not None else ():
                yield Setting(value, setting.origin if setting is not None else "")


def _files(environment: Mapping[str, str], prefix: Path, root: Path) -> list[Path]:
    """Paths in the order in which later ones override earlier ones."""
    extra = environment.get("PIP_CONFIG_FILE", "")
    if extra == os.devnull:
        return []
    home = Path(environment.get("HOME") or Path.home())
    shared = environment.get("XDG_CONFIG_DIRS") or str(root / "etc/xdg")
    files = [Path(folder) / "pip/pip.conf" for folder in shared.split(os.pathsep) if folder]
    files.append(root / "etc/pip.conf")
    if not (extra and Path(extra).exists()):
        own = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
        files += [home / ".pip/pip.conf", own / "pip/pip.conf"]
    files.append(prefix / "pip.conf")
    return [*files, Path(extra)] if extra else files


def _items(path: Path) -> Iterator[tuple[str, str, str]]:
    """(section, option, value) of one file; nothing where it does not exist."""
    parser = configparser.RawConfigParser()
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError, OSError) as error:
        what = str(error).splitlines()[0]
        raise InputError(f"pip's configuration {path} cannot be read: {what}", "correct or remove it") from error
    for section in parser.sections():
        for option, value in parser.items(section):
            yield section, _option_name(option), value


def _variables(environment: Mapping[str, str]) -> dict[str, Setting]:
    found = ((name, value) for name, value in environment.items() if name.startswith("PIP_") and value)
    return {_option_name(name.removeprefix("PIP_")): Setting(value, name) for name, value in found}


def _option_name(text: str) -> str:
    return text.lower().replace("_", "-").removeprefix("--")
