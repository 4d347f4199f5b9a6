"""The plugins among the files that a user brings, read and checked without being run."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, NamedTuple

import msgspec

from wheelfleet_shared.core.plugins import HOOKS, HOOKS_GROUP, OVERRIDES_GROUP, TAG_HOOK, Plugin
from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import Distribution

from .plugin_source import closure, module_of, names_in
from .requirement_files import override_name

FOLDER: Final = "plugins/"
INSTALLED: Final = "plugins.json"
"""The entry points of distributions that are installed beside us."""
LOCAL: Final = "wheelfleet_overrides"
"""The package that files of ``overrides/plugins/`` are modules of."""
HOOKS_FILE: Final = "_hooks"
"""The module of that folder whose functions are hooks; others that begin with ``_`` are for plugins to import."""


class EntryPoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an installed distribution offers; attribute empty for a module."""

    group: Literal["fromager.project_overrides", "fromager.hooks", "build_tag_hook"]
    name: str
    module: str
    attribute: str = ""


class Source(NamedTuple):
    """A module of a plugin: the names that it binds, and all files that it needs."""

    names: frozenset[str]
    files: Mapping[str, bytes]


class Plugins(NamedTuple):
    """All plugins. tag: what adds to build tags. sources: by the name of the module.

    files: all that came with them, by path below the folder of modules. origin: put before paths in messages.
    """

    overrides: Mapping[str, EntryPoint] = {}
    hooks: Mapping[str, tuple[EntryPoint, ...]] = {}
    tag: EntryPoint | None = None
    sources: Mapping[str, Source] = {}
    files: Mapping[str, bytes] = {}
    origin: str = ""
    warnings: tuple[str, ...] = ()

    def functions_of(self, name: Distribution, allowed: Iterable[str]) -> tuple[str, ...]:
        """Those of the allowed functions that the module for a distribution has; none where there is no module."""
        entry = self.overrides.get(override_name(name))
        return tuple(sorted(self.sources[entry.module].names.intersection(allowed))) if entry is not None else ()

    def without(self, functions: Iterable[str]) -> "Plugins":
        """The same, but that no module has these."""
        dropped = frozenset(functions)
        sources = {name: source._replace(names=source.names - dropped) for name, source in self.sources.items()}
        return self._replace(sources=sources)


NO_PLUGINS: Final = Plugins()


class Plugged(NamedTuple):
    """The plugins as they reach one node: for its distribution, with what they may read of its settings."""

    plugins: Plugins
    name: Distribution
    variant: str
    settings: Mapping[str, Any]
    network: bool

    def override(self, allowed: Iterable[str]) -> Plugin | None:
        """The distribution's own plugin with those of the allowed functions that it has; None where it has none."""
        functions = self.plugins.functions_of(self.name, allowed)
        return self._plugin(self.plugins.overrides[override_name(self.name)], functions) if functions else None

    def hooks(self, point: str) -> tuple[Plugin, ...]:
        """The hooks of one moment, in the order in which they are called."""
        return tuple(self._plugin(entry, (entry.attribute,)) for entry in self.plugins.hooks.get(point, ()))

    def tag_hook(self) -> Plugin | None:
        """What adds to build tags; None where nothing does."""
        entry = self.plugins.tag
        return self._plugin(entry, (entry.attribute,)) if entry is not None else None

    def _plugin(self, entry: EntryPoint, functions: tuple[str, ...]) -> Plugin:
        files, settings = dict(self.plugins.sources[entry.module].files), dict(self.settings)
        return Plugin(entry.name, entry.module, functions, files, self.variant, settings, self.network)


def read_plugins(given: Mapping[str, bytes], origin: str = "", tag_hook: str = "", place: str = "") -> Plugins:
    """The plugins among the files of a customisation.

    tag_hook: what settings name as ``module:function``, empty for nothing; place: where, for messages.
    Raises InputError, with file and line, for a module that is no Python or not there, for one that lacks
    what is named, and for two modules about one distribution.
    """
    files = {path.removeprefix(FOLDER): data for path, data in given.items() if path.startswith(FOLDER)}
    prefix = f"{origin}{FOLDER}"
    entries = [*_installed(given.get(INSTALLED, b"")), *_local(files, prefix)]
    tag = _tag_entry(tag_hook) if tag_hook else None
    sources: dict[str, Source] = {}
    overrides: dict[str, EntryPoint] = {}
    for entry in (*entries, *([tag] if tag is not None else [])):
        sources.setdefault(entry.module, _source(entry, files, prefix, place))
        _check(entry, sources[entry.module], place)
        if entry.group == OVERRIDES_GROUP:
            _add(overrides, entry)
    hooks = {point: tuple(found for found in entries if _is_at(found, point)) for point in HOOKS}
    return Plugins(overrides, hooks, tag, sources, files, prefix, tuple(_warnings(entries)))


def _tag_entry(text: str) -> EntryPoint:
    module, _, function = text.partition(":")
    return EntryPoint(TAG_HOOK, TAG_HOOK, module, function)


def _is_at(entry: EntryPoint, point: str) -> bool:
    return entry.group == HOOKS_GROUP and entry.name == point


def _installed(data: bytes) -> list[EntryPoint]:
    try:
        return msgspec.json.decode(data or b"[]", type=list[EntryPoint])
    except msgspec.MsgspecError as error:
        raise InputError(f"{INSTALLED}: {error}", "submit the run again") from None


def _local(files: Mapping[str, bytes], origin: str) -> list[EntryPoint]:
    """The modules of ``overrides/plugins/`` itself, in the order of their names."""
    found = []
    for path in sorted(files):
        folder, _, name = path.rpartition("/")
        if folder != LOCAL or not name.endswith(".py"):
            continue
        stem, module = name.removesuffix(".py"), f"{LOCAL}.{name.removesuffix('.py')}"
        if stem == HOOKS_FILE:
            read = module_of(module, files, origin)
            has = names_in(read) if read is not None else {}
            found += [EntryPoint(HOOKS_GROUP, point, module, point) for point in HOOKS if point in has]
        elif not stem.startswith("_"):
            found.append(EntryPoint(OVERRIDES_GROUP, stem, module))
    return found


def _source(entry: EntryPoint, files: Mapping[str, bytes], origin: str, place: str) -> Source:
    module = module_of(entry.module, files, origin)
    if module is not None:
        return Source(frozenset(names_in(module)), closure(entry.module, files, origin))
    raise InputError(
        f"{_stated(entry, place)} names the module {entry.module}, whose source was not found",
        f"install it beside wheelfleet, or put it into overrides/plugins and call it {LOCAL}.<file>",
    )


def _check(entry: EntryPoint, source: Source, place: str) -> None:
    """Raises InputError unless the module has what is named."""
    if entry.attribute and entry.attribute.partition(".")[0] not in source.names:
        raise InputError(f"{_stated(entry, place)} names {entry.attribute}, which {entry.module} has not", "correct it")


def _stated(entry: EntryPoint, place: str) -> str:
    """Where an entry is named, for messages."""
    return f"{place}: {TAG_HOOK}" if entry.group == TAG_HOOK else f"the entry point {entry.name} of {entry.group}"


def _add(overrides: dict[str, EntryPoint], entry: EntryPoint) -> None:
    other = overrides.get(entry.name)
    if other is not None and other != entry:
        raise InputError(f"{other.module} and {entry.module} are both plugins for {entry.name}", "keep one of them")
    overrides[entry.name] = entry


def _warnings(entries: Iterable[EntryPoint]) -> Iterable[str]:
    for entry in entries:
        wanted = override_name(entry.name.lower().replace(".", "_"))
        if entry.group == OVERRIDES_GROUP and entry.name != wanted:
            yield f"the plugin {entry.name} ({entry.module}) is never called: name it {wanted}"
        if entry.group == HOOKS_GROUP and entry.name not in HOOKS:
            yield f"the hook {entry.name} ({entry.module}) is never called: hooks are {', '.join(HOOKS)}"
