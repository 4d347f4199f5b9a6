"""The steps that need no environment: a source prepared, and its sdist."""

import asyncio
import hashlib
import json
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
from packaging.utils import canonicalize_name
from packaging.version import Version

from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import Sha256

from ..adapters.apply_patch import apply_patch
from ..adapters.build_folder import BuildFolder, make_build_folder, remove_build_folder
from ..adapters.plugin_process import PluginPlace
from ..core.patched_sdist import fingerprints
from ..core.prepare import PreparedSource, prepare_source
from ..core.processes import Limits, LogSink
from ..core.rust_sources import rust_source
from ..core.step_files import SourceState, find_archive, step_stem
from .host import Host
from .preparing import bare_place, prepare, tell_patches, with_crates
from .recipes import patches_of, preparation_of
from .step import SOURCE, Step, only, pack_step, source_of

MakeHost = Callable[[], Awaitable[Host]]
"""Probes this machine, which costs a second; most sources do not need it."""


async def prepare_source_step(step: Step, make_host: MakeHost, log: LogSink) -> Path:
    """The source is unpacked, patched and fixed in the work folder, which held nothing else before; its place.

    Raises InputError where the archive was not downloaded, and as ``preparing.prepare``.
    """
    archive, folder, tree = _archive(step), step.places.folder(step.node), step.places.tree(step.node)
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    unpacked = make_build_folder(folder / "unpacked")
    prepared = await _prepared(step, archive, unpacked, make_host, log)
    prepared.tree.rename(tree)
    await remove_build_folder(unpacked)
    await asyncio.to_thread(_note, step, archive, prepared)
    return tree


async def _prepared(
    step: Step, archive: Path, folder: BuildFolder, make_host: MakeHost, log: LogSink
) -> PreparedSource:
    recipe, node = step.recipe.preparation, step.node
    if recipe.plugin is not None:
        return await prepare(archive, node, recipe, _place(step, await make_host(), folder), log)
    name, version = canonicalize_name(node.name), Version(node.version)
    patches, settings = patches_of(recipe), preparation_of(recipe)
    tell_patches(node, patches, log)
    prepared = await asyncio.to_thread(
        prepare_source, archive, name, version, patches, settings, folder.temporary, apply_patch
    )
    if rust_source(prepared.tree / recipe.build_dir, prepared.build_system) is None:
        return prepared
    return await with_crates(prepared, node, recipe.build_dir, _place(step, await make_host(), folder), log)


def _place(step: Step, host: Host, folder: BuildFolder) -> PluginPlace:
    return bare_place(folder, only(host).equipment, Limits(), step.jobs or 1)


def _note(step: Step, archive: Path, prepared: PreparedSource) -> None:
    """What later steps, and scripts written for fromager, want to know."""
    folder, tree, plugin = step.places.folder(step.node), step.places.tree(step.node), step.recipe.preparation.plugin
    digest = Sha256(hashlib.sha256(archive.read_bytes()).hexdigest())
    requires = prepared.build_system.requires if plugin is not None else None
    state = SourceState(archive.name, digest, prepared.epoch, prepared.touched, fingerprints(tree), requires)
    (folder / SOURCE).write_bytes(msgspec.json.encode(state))
    meta = {"req": str(step.node), "source-filename": str(archive), "version": step.node.version}
    (folder / "build-meta.json").write_text(json.dumps(meta))


def build_sdist_step(step: Step) -> Path:
    """The prepared source, with whatever was changed in it since, is packed anew; the place of the sdist."""
    places, node = step.places, step.node
    source = source_of(step)
    places.patched.mkdir(parents=True, exist_ok=True)
    sdist = places.patched / f"{step_stem(node)}.tar.gz"
    pack_step(step, source, sdist)
    return sdist


def _archive(step: Step) -> Path:
    downloads, node = step.places.downloads, step.node
    names = [path.name for path in downloads.iterdir() if path.is_file()] if downloads.is_dir() else []
    found = find_archive(names, node, step.recipe.archive)
    if found is None:
        archives = [name for name in sorted(names) if name.endswith((".tar.gz", ".zip"))]
        raise InputError(
            f"there is no sdist of {node} in {downloads}, only {', '.join(archives) or 'nothing'}",
            f"run `step download-source-archive {node.name} {node.version} URL` first",
        )
    return downloads / found
