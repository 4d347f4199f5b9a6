"""The configuration of uv for indexes, of the user and the system; that of projects is not looked at."""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from wheelfleet_shared.errors import InputError

from .pip_configuration import Setting

_NAMED = re.compile(r"(?P<name>[A-Za-z0-9._-]+)=(?P<url>\S+)")


class _Index(msgspec.Struct):
    url: str
    name: str = ""
    default: bool = False


class _File(msgspec.Struct, rename="kebab"):
    """What a ``uv.toml`` may say of indexes, also in its ``[pip]`` table."""

    index: list[_Index] = []
    index_url: str = ""
    extra_index_url: list[str] = []
    find_links: list[str] = []
    https_proxy: str = ""
    http_proxy: str = ""
    pip: dict[str, Any] = {}


class UvConfiguration:
    """The variables and files in force; the user's file goes before the system's."""

    def __init__(self, environment: Mapping[str, str], files: Mapping[Path, _File]) -> None:
        self._environment = environment
        self._files = files

    @classmethod
    def read(cls, environment: Mapping[str, str], *, root: Path) -> "UvConfiguration":
        """The configuration in force; raises InputError naming a file that cannot be read."""
        paths = _paths(environment, root)
        return cls(environment, {path: _read(path) for path in paths if path.is_file()})

    def default_index(self) -> Setting | None:
        """The index that uv would use by default, if one is configured."""
        for variable in ("UV_DEFAULT_INDEX", "UV_INDEX_URL"):
            if self._environment.get(variable):
                return Setting(_unnamed(self._environment[variable]), variable)
        for path, file in self._files.items():
            marked = next((index.url for index in file.index if index.default), "")
            url = marked or file.index_url or str(file.pip.get("index-url", ""))
            if url:
                return Setting(url, _origin(path))
        return None

    def further_indexes(self) -> Iterator[Setting]:
        """Indexes and folders besides the default index, one at a time."""
        for variable in ("UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS"):
            separators = r"[\s,]+" if variable == "UV_FIND_LINKS" else r"\s+"
            for value in filter(None, re.split(separators, self._environment.get(variable, ""))):
                yield Setting(_unnamed(value), variable)
        for path, file in self._files.items():
            marked = [index.url for index in file.index if not index.default]
            for url in (*marked, *file.extra_index_url, *file.find_links):
                yield Setting(url, _origin(path))

    def proxy(self) -> Setting | None:
        """The proxy that files name; the usual variables go before it."""
        for path, file in self._files.items():
            if file.https_proxy or file.http_proxy:
                return Setting(file.https_proxy or file.http_proxy, _origin(path))
        return None

    def credentials(self, url: str) -> tuple[str, str] | None:
        """User name and password given in variables for a named index."""
        for name in self._names(url):
            prefix = "UV_INDEX_" + re.sub(r"[^A-Z0-9]", "_", name.upper())
            user = self._environment.get(f"{prefix}_USERNAME", "")
            password = self._environment.get(f"{prefix}_PASSWORD", "")
            if user or password:
                return user, password
        return None

    def _names(self, url: str) -> Iterator[str]:
        named = _NAMED.fullmatch(self._environment.get("UV_DEFAULT_INDEX", ""))
        if named is not None and named["url"] == url:
            yield named["name"]
        for file in self._files.values():
            yield from (index.name for index in file.index if index.name and index.url == url)


def _paths(environment: Mapping[str, str], root: Path) -> list[Path]:
    """Paths, those that count more first; of the system's only the first that exists counts."""
    if environment.get("UV_NO_CONFIG"):
        return []
    if environment.get("UV_CONFIG_FILE"):
        return [Path(environment["UV_CONFIG_FILE"])]
    home = Path(environment.get("HOME") or Path.home())
    own = Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "uv/uv.toml"
    shared = environment.get("XDG_CONFIG_DIRS") or str(root / "etc/xdg")
    system = [Path(folder) / "uv/uv.toml" for folder in shared.split(os.pathsep) if folder]
    system.append(root / "etc/uv/uv.toml")
    return [own, *[path for path in system if path.is_file()][:1]]


def _read(path: Path) -> _File:
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _File)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError, OSError) as error:
        what = str(error).splitlines()[0]
        raise InputError(f"uv's configuration {path} cannot be read: {what}", "correct or remove it") from error


def _unnamed(value: str) -> str:
    """The URL of ``name=URL``."""
    named = _NAMED.fullmatch(value)
    return named["url"] if named is not None and "://" not in named["name"] else value


def _origin(path: Path) -> str:
    return f"uv's configuration ({path})"
