"""Which functions of a user's plugins are called here, which would fail, and which never are."""

import ast
from collections.abc import Iterator
from typing import Literal

import msgspec
from packaging.utils import canonicalize_name

from wheelfleet_shared.core.plugins import CHOICE, NAMES, OVERRIDES

from .customising import Customised
from .plugin_files import EntryPoint, Plugins
from .plugin_source import Module, module_of, names_in
from .plugin_uses import Use, lacking_arguments, lacking_modules, lacking_names

Verdict = Literal["works", "not called", "fails"]


class PluginFinding(msgspec.Struct, frozen=True):
    """A function of a plugin. point: the override or hook that it is. place: file and line.

    reasons: why it fails, or is not called, each with the line; none where it works.
    """

    plugin: str
    point: str
    verdict: Verdict
    place: str
    reasons: tuple[str, ...] = ()


def lint_plugins(customised: Customised) -> list[PluginFinding]:
    """Every function of every plugin, in the order of plugins and functions.

    What a function does with what it is given is not known before it is called; so ``works`` says that all
    it names is there.
    """
    plugins = customised.plugins
    found = [_override(customised, entry, point) for entry, point in _overrides(plugins)]
    hooks = [entry for entries in plugins.hooks.values() for entry in entries]
    hooks += [plugins.tag] if plugins.tag is not None else []
    return [*found, *(_judged(plugins, entry, entry.name, entry.attribute) for entry in hooks)]


def _overrides(plugins: Plugins) -> Iterator[tuple[EntryPoint, str]]:
    for name in sorted(plugins.overrides):
        entry = plugins.overrides[name]
        yield from ((entry, point) for point in sorted(plugins.sources[entry.module].names & OVERRIDES))


def _override(customised: Customised, entry: EntryPoint, point: str) -> PluginFinding:
    plugins = customised.plugins
    if point in NAMES:
        why = "sources are found by their digest here, so nobody asks for names of files"
        return PluginFinding(entry.name, point, "not called", _place(plugins, entry, point), (why,))
    if point in CHOICE:
        return _choice(customised, entry, point)
    return _judged(plugins, entry, point, point)


def _choice(customised: Customised, entry: EntryPoint, point: str) -> PluginFinding:
    setting = {"download_source": "download_source.url", "get_resolver_provider": "resolver_dist.sdist_server_url"}
    place = _place(customised.plugins, entry, point)
    if point in customised.choice_fault(canonicalize_name(entry.name)).split(", "):
        why = f"versions and sources are chosen by the coordinator, which runs no plugin; set {setting[point]} instead"
        return PluginFinding(entry.name, point, "fails", place, (why,))
    return PluginFinding(entry.name, point, "not called", place, (f"{setting[point]} is set in its place",))


def _judged(plugins: Plugins, entry: EntryPoint, point: str, function: str) -> PluginFinding:
    module = _module(plugins, entry)
    uses = sorted({*_uses(module, point, function), *_of_modules(plugins, entry)})
    verdict: Verdict = "fails" if uses else "works"
    reasons = tuple(f"line {use.line}: {use.what}" for use in uses)
    return PluginFinding(entry.name, point, verdict, _place(plugins, entry, function), reasons)


def _uses(module: Module, point: str, function: str) -> Iterator[Use]:
    for node in module.tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            yield from lacking_arguments(node, point)
    yield from lacking_names(module, function)


def _of_modules(plugins: Plugins, entry: EntryPoint) -> Iterator[Use]:
    """What the modules import that the plugin needs, its own and others."""
    for path in plugins.sources[entry.module].files:
        name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        module = module_of(name, plugins.files, plugins.origin) if path.endswith(".py") else None
        if module is not None:
            yield from lacking_modules(module, plugins.files)


def _module(plugins: Plugins, entry: EntryPoint) -> Module:
    module = module_of(entry.module, plugins.files, plugins.origin)
    assert module is not None, "it was read before"
    return module


def _place(plugins: Plugins, entry: EntryPoint, function: str) -> str:
    module = _module(plugins, entry)
    return f"{module.path}:{names_in(module).get(function.partition('.')[0], 1)}"
