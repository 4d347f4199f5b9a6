"""Wheels, built and named."""

from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.tags import Tag
from packaging.utils import BuildTag, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from wheelfleet_agent.plugin_child.unoffered import stand_ins

from .build_environment import BuildEnvironment
from .context import WorkContext
from .dependencies import get_build_backend_hook_caller


def pep517_build_wheel(
    ctx: WorkContext,
    build_env: BuildEnvironment,
    extra_environ: dict[str, str],
    req: Requirement,
    sdist_root_dir: Path,
    version: Version,
    build_dir: Path,
) -> Path:
    """The wheel that the backend built, in ``ctx.wheels_build``."""
    del sdist_root_dir, version
    caller = get_build_backend_hook_caller(ctx, req, build_dir, extra_environ, build_env)
    return ctx.wheels_build / caller.build_wheel(str(ctx.wheels_build), ctx.package_build_info(req).config_settings)


default_build_wheel = pep517_build_wheel


def default_add_extra_metadata_to_wheels(**_named: object) -> dict[str, Any]:
    """Nothing is added."""
    return {}


def extract_info_from_wheel_file(req: Requirement, wheel_file: Path) -> tuple[str, Version, BuildTag, frozenset[Tag]]:
    """Name as it stands in the file's, version, build tag and tags."""
    del req
    _, version, build, tags = parse_wheel_filename(wheel_file.name)
    return wheel_file.name.split("-")[0], version, build, tags


def validate_wheel_filename(req: Requirement, version: Version, wheel_file: Path) -> None:
    """Raises ValueError unless the file is named after the distribution and version."""
    name, found, _, _ = parse_wheel_filename(wheel_file.name)
    if canonicalize_name(name) != canonicalize_name(req.name) or found != version:
        raise ValueError(f"{wheel_file.name} is no wheel of {req.name} {version}")


__getattr__ = stand_ins(__name__)
