"""What a source requires, as its files and its backend say."""

import tomllib
from pathlib import Path
from typing import Any

from packaging.metadata import Metadata
from packaging.requirements import Requirement
from packaging.version import Version
from pyproject_hooks import BuildBackendHookCaller

from wheelfleet_agent.core.pyproject import FILE_NAME, read_build_system
from wheelfleet_agent.plugin_child.unoffered import stand_ins

from .build_environment import BuildEnvironment
from .context import WorkContext

STUB_PKG_INFO_SUMMARY = "unknown"


def get_pyproject_contents(sdist_root_dir: Path) -> dict[str, Any]:
    """The tables of pyproject.toml; none where there is no such file."""
    file = sdist_root_dir / FILE_NAME
    return tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def get_build_backend(pyproject_toml: dict[str, Any]) -> dict[str, Any]:
    """``build-backend``, ``backend-path`` and ``requires``, with PEP 517's defaults."""
    stated = pyproject_toml.get("build-system", {})
    defaults = {
        "build-backend": "setuptools.build_meta:__legacy__",
        "backend-path": None,
        "requires": ["setuptools>=40.8.0"],
    }
    return {key: stated.get(key, default) for key, default in defaults.items()}


def default_get_build_system_dependencies(
    ctx: WorkContext, req: Requirement, sdist_root_dir: Path, build_dir: Path
) -> list[str]:
    """``[build-system] requires``."""
    del ctx, req, sdist_root_dir
    return list(read_build_system(build_dir).requires)


def get_build_backend_hook_caller(
    ctx: WorkContext,
    req: Requirement,
    build_dir: Path,
    override_environ: dict[str, Any],
    build_env: BuildEnvironment,
    *,
    log_filename: str | None = None,
) -> BuildBackendHookCaller:
    """Calls the source's backend in the build environment."""
    del ctx, req
    system = read_build_system(build_dir)

    def runner(cmd: Any, cwd: str | None = None, extra_environ: Any = None) -> None:
        environ = {**(extra_environ or {}), **override_environ}
        build_env.run(cmd, cwd=cwd, extra_environ=environ, log_filename=log_filename)

    path = [str(folder) for folder in system.backend_path] or None
    return BuildBackendHookCaller(str(build_dir), system.backend, path, runner, python_executable=str(build_env.python))


def default_get_build_backend_dependencies(
    ctx: WorkContext,
    req: Requirement,
    sdist_root_dir: Path,
    build_dir: Path,
    extra_environ: dict[str, str],
    build_env: BuildEnvironment,
) -> list[str]:
    """What ``get_requires_for_build_wheel`` answers."""
    del sdist_root_dir
    caller = get_build_backend_hook_caller(ctx, req, build_dir, extra_environ, build_env)
    return list(caller.get_requires_for_build_wheel(ctx.package_build_info(req).config_settings))


default_get_build_sdist_dependencies = default_get_build_backend_dependencies


def pep517_metadata_of_sdist(
    *,
    ctx: WorkContext,
    req: Requirement,
    version: Version,
    sdist_root_dir: Path,
    build_env: BuildEnvironment,
    extra_environ: dict[str, str],
    build_dir: Path,
    config_settings: dict[str, str],
    validate: bool = True,
) -> Metadata:
    """The metadata that the wheel would have."""
    del version, sdist_root_dir
    caller = get_build_backend_hook_caller(ctx, req, build_dir, extra_environ, build_env)
    folder = ctx.work_dir / "metadata"
    folder.mkdir(exist_ok=True)
    name = caller.prepare_metadata_for_build_wheel(str(folder), config_settings)
    return parse_metadata(folder / name / "METADATA", validate=validate)


def parse_metadata(metadata_source: Path | bytes, *, validate: bool = True) -> Metadata:
    """The core metadata in a file or in bytes."""
    data = metadata_source.read_bytes() if isinstance(metadata_source, Path) else metadata_source
    return Metadata.from_email(data, validate=validate)


def default_get_install_dependencies_of_sdist(**given: Any) -> set[Requirement]:
    """``Requires-Dist`` of the metadata that the wheel would have."""
    return set(pep517_metadata_of_sdist(**given).requires_dist or ())


__getattr__ = stand_ins(__name__)
