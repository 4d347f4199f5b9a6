"""An upstream archive made the patched sdist, by a plugin where the settings bring one."""

import asyncio
import stat
from collections.abc import Sequence
from pathlib import Path

import msgspec
from packaging.utils import canonicalize_name
from packaging.version import Version

from wheelfleet_shared.core.plugins import Plugin
from wheelfleet_shared.core.recipe import PreparationRecipe
from wheelfleet_shared.names import NodeKey

from ..adapters.apply_patch import apply_patch
from ..adapters.build_folder import BuildFolder
from ..adapters.cargo_vendor import vendor_crates
from ..adapters.hooks import Equipment, bare_surroundings
from ..adapters.plugin_process import PluginPlace, ask_plugin
from ..core.hook_environment import HookSettings
from ..core.patched_sdist import fingerprints
from ..core.plugin_call import PluginFailed, Question, requirements_in, value_of
from ..core.prepare import Patch, PreparedSource, open_source, pack_again, pack_changed, prepare_source
from ..core.processes import Limits, LogSink
from ..core.rust_sources import VENDOR, RustSource, rust_source, shrink_crates, use_vendored
from ..core.sandbox_plan import Mount
from .recipes import patches_of, preparation_of


def bare_place(folder: BuildFolder, equipment: Equipment, limits: Limits, cores: int) -> PluginPlace:
    """Where plugins are called that no environment belongs to."""
    brought, environ = bare_surroundings(folder, equipment, HookSettings(0, cores))
    return PluginPlace(folder, equipment.sandbox, brought, limits, environ)


async def prepare(
    archive: Path,
    node: NodeKey,
    recipe: PreparationRecipe,
    place: PluginPlace,
    log: LogSink,
) -> PreparedSource:
    """The patched sdist lies in the temporary folder of the place, with its crates if it is in Rust.

    Raises as ``core.prepare.prepare_source``, and PluginFailed, HookStopped.
    """
    workdir, plugin = place.folder.temporary, recipe.plugin
    name, version = canonicalize_name(node.name), Version(node.version)
    if plugin is not None and "prepare_source" in plugin.functions:
        prepared = await _by_plugin(archive, node, recipe, plugin, place, log)
    else:
        patches, settings = patches_of(recipe), preparation_of(recipe)
        tell_patches(node, patches, log)
        prepared = await asyncio.to_thread(
            prepare_source, archive, name, version, patches, settings, workdir, apply_patch
        )
    prepared = await with_crates(prepared, node, recipe.build_dir, place, log)
    if plugin is not None and "get_build_system_dependencies" in plugin.functions:
        return await _with_requirements(prepared, node, recipe, plugin, place, log)
    return prepared


def tell_patches(node: NodeKey, patches: Sequence[Patch], log: LogSink) -> None:
    """The log names each patch, in fromager's words."""
    for patch in patches:
        log.write(f"{node.name}-{node.version}: applying patch file {patch.name}\n".encode())


async def with_crates(
    prepared: PreparedSource, node: NodeKey, build_dir: str, place: PluginPlace, log: LogSink
) -> PreparedSource:
    """The source packed anew with the crates it needs, where it is in Rust and does not bring them; else as it is.

    Raises SourceError where they cannot be had.
    """
    source = await asyncio.to_thread(rust_source, prepared.tree / build_dir, prepared.build_system)
    if source is None:
        return prepared
    before = await asyncio.to_thread(fingerprints, prepared.tree)
    await vendor_crates(source, place, log)
    return await asyncio.to_thread(_vendored, prepared, node, source, before)


def _vendored(prepared: PreparedSource, node: NodeKey, source: RustSource, before: dict[str, str]) -> PreparedSource:
    if (source.root / VENDOR).is_dir():  # cargo makes none where no crate is needed
        shrink_crates(source.root / VENDOR)
        use_vendored(source.root)
    return pack_again(prepared, canonicalize_name(node.name), Version(node.version), before)


async def _by_plugin(
    archive: Path, node: NodeKey, recipe: PreparationRecipe, plugin: Plugin, place: PluginPlace, log: LogSink
) -> PreparedSource:
    """The plugin's own tree, packed; upstream's is unpacked beside it, to know what was touched and how old it is."""
    point, workdir = "prepare_source", place.folder.temporary
    opened = await asyncio.to_thread(open_source, archive, canonicalize_name(node.name), Version(node.version), workdir)
    place = place._replace(mounts=(*place.mounts, Mount(archive, Path("/source", archive.name))))
    question = msgspec.structs.replace(_question(node, recipe, place), archive=place.seen(archive))
    answer, _ = await ask_plugin(place, plugin, point, question, log)
    path = value_of(answer, str, plugin, point)
    tree = place.outside(path, stat.S_ISDIR)
    if tree is None:
        raise PluginFailed(plugin.name, point, f"gave {path}, which is no folder below ctx.work_dir")
    return await asyncio.to_thread(pack_changed, opened, tree, preparation_of(recipe), workdir)


async def _with_requirements(
    prepared: PreparedSource,
    node: NodeKey,
    recipe: PreparationRecipe,
    plugin: Plugin,
    place: PluginPlace,
    log: LogSink,
) -> PreparedSource:
    point = "get_build_system_dependencies"
    question = msgspec.structs.replace(_question(node, recipe, place), tree=place.seen(prepared.tree))
    answer, _ = await ask_plugin(place, plugin, point, question, log)
    requires = requirements_in(value_of(answer, tuple[str, ...], plugin, point), plugin, point)
    system = msgspec.structs.replace(prepared.build_system, requires=requires)
    return msgspec.structs.replace(prepared, build_system=system)


def _question(node: NodeKey, recipe: PreparationRecipe, place: PluginPlace) -> Question:
    return Question(
        function="",
        point="",
        module="",
        search=(),
        name=node.name,
        version=node.version,
        root=place.seen(place.root),
        build_dir=recipe.build_dir,
        environ=dict(place.environ),
        patches=recipe.patches,
        update_requires=recipe.update_requires,
        remove_requires=recipe.remove_requires,
    )
