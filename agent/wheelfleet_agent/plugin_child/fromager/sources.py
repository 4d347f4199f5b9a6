"""Sources, prepared and packed."""

import gzip
import tarfile
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from wheelfleet_agent.adapters.apply_patch import apply_patch
from wheelfleet_agent.core.archive import extract
from wheelfleet_agent.core.prepare import Patch
from wheelfleet_agent.core.source_name import PKG_INFO, stub_pkg_info
from wheelfleet_agent.plugin_child.unoffered import stand_ins

from . import pyproject, tarballs
from .build_environment import BuildEnvironment
from .context import WorkContext
from .dependencies import get_build_backend_hook_caller
from .overrides import pkgname_to_override_module


def unpack_source(ctx: WorkContext, req: Requirement, version: Version, source_filename: Path) -> tuple[Path, bool]:
    """The archive's one top folder as ``<override name>-<version>`` in a folder of that name; always new."""
    name = f"{pkgname_to_override_module(req.name)}-{version}"
    root = extract(source_filename, ctx.work_dir / name).root
    return root.rename(root.parent / name), True


def patch_source(ctx: WorkContext, source_root_dir: Path, req: Requirement, version: Version) -> None:
    """The patches of the settings are applied, in their order."""
    del req, version
    for patch in ctx.question.patches:
        apply_patch(source_root_dir, Patch(patch.name, patch.data))


def prepare_new_source(ctx: WorkContext, req: Requirement, source_root_dir: Path, version: Version) -> None:
    """Patches and ``project_override`` are applied."""
    patch_source(ctx, source_root_dir, req, version)
    pyproject.apply_project_override(ctx=ctx, req=req, sdist_root_dir=source_root_dir)


def default_prepare_source(
    ctx: WorkContext, req: Requirement, source_filename: Path, version: Version
) -> tuple[Path, bool]:
    """The source unpacked and changed as the settings say."""
    root, new = unpack_source(ctx, req, version, source_filename)
    prepare_new_source(ctx, req, root, version)
    return root, new


def ensure_pkg_info(
    *, ctx: WorkContext, req: Requirement, version: Version, sdist_root_dir: Path, build_dir: Path | None = None
) -> bool:
    """Both folders hold a PKG-INFO; whether they did before."""
    del ctx
    missing = [folder for folder in {sdist_root_dir, build_dir or sdist_root_dir} if not (folder / PKG_INFO).is_file()]
    for folder in missing:
        (folder / PKG_INFO).write_bytes(stub_pkg_info(canonicalize_name(req.name), version))
    return not missing


def default_build_sdist(
    ctx: WorkContext,
    extra_environ: dict[str, str],
    req: Requirement,
    version: Version,
    sdist_root_dir: Path,
    build_env: BuildEnvironment,
    build_dir: Path,
) -> Path:
    """The tree as it stands, packed."""
    del extra_environ, build_env
    ensure_pkg_info(ctx=ctx, req=req, version=version, sdist_root_dir=sdist_root_dir, build_dir=build_dir)
    path = ctx.sdists_builds / f"{pkgname_to_override_module(req.name)}-{version}.tar.gz"
    with (
        path.open("wb") as opened,
        gzip.GzipFile(fileobj=opened, mode="wb", filename="", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        tarballs.tar_reproducible(archive, build_dir, build_dir.parent)
    return path


def pep517_build_sdist(
    ctx: WorkContext,
    extra_environ: dict[str, str],
    req: Requirement,
    sdist_root_dir: Path,
    version: Version,
    build_env: BuildEnvironment,
) -> Path:
    """The sdist that the backend built, in ``ctx.sdists_builds``."""
    del version
    settings = ctx.package_build_info(req)
    build_dir = settings.build_dir(sdist_root_dir)
    caller = get_build_backend_hook_caller(ctx, req, build_dir, extra_environ, build_env)
    return ctx.sdists_builds / caller.build_sdist(str(ctx.sdists_builds), settings.config_settings)


__getattr__ = stand_ins(__name__)
