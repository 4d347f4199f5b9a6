"""Overrides of the kind that fromager has for stevedore: variables, and an sdist made by the backend."""

import logging
import pathlib

from fromager import build_environment, context, sources
from packaging.requirements import Requirement
from packaging.version import Version

logger = logging.getLogger(__name__)


def update_extra_environ(
    *,
    ctx: context.WorkContext,
    req: Requirement,
    version: Version | None,
    sdist_root_dir: pathlib.Path,
    extra_environ: dict[str, str],
    build_env: build_environment.BuildEnvironment,
) -> None:
    logger.info("hook called: update_extra_environ of %s", version)
    extra_environ["FROM_PLUGIN"] = f"{req.name} {version}"
    with (ctx.work_dir / "update_extra_environ.txt").open("a", encoding="utf-8") as marker:
        marker.write(f"{version}\n")


def build_sdist(
    ctx: context.WorkContext,
    extra_environ: dict,
    req: Requirement,
    sdist_root_dir: pathlib.Path,
    version: Version,
    build_env: build_environment.BuildEnvironment,
) -> pathlib.Path:
    return sources.pep517_build_sdist(
        ctx=ctx,
        extra_environ=extra_environ,
        req=req,
        sdist_root_dir=sdist_root_dir,
        version=version,
        build_env=build_env,
    )


def add_extra_metadata_to_wheels(*, ctx, req, version, extra_environ, sdist_root_dir, dist_info_dir):
    return {"variant": ctx.variant, "from-plugin": extra_environ["FROM_PLUGIN"]}
