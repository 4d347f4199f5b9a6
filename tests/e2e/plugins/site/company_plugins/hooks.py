"""Hooks of the kind that fromager tests itself with; each writes a file beside what it is told of."""

import logging
import os
import pathlib

from fromager import context
from packaging.requirements import Requirement

logger = logging.getLogger(__name__)


def after_build_wheel(
    ctx: context.WorkContext,
    req: Requirement,
    dist_name: str,
    dist_version: str,
    sdist_filename: pathlib.Path,
    wheel_filename: pathlib.Path,
) -> None:
    logger.info("hook called: post_build of %s from %s", wheel_filename.name, sdist_filename.name)
    (sdist_filename.parent / "test-output-file.txt").write_text(f"{dist_name}=={dist_version}")
    if ctx.package_build_info(req).annotations.get("spoil"):
        wheel_filename.unlink()


def after_bootstrap(
    ctx: context.WorkContext,
    req: Requirement,
    dist_name: str,
    dist_version: str,
    sdist_filename: pathlib.Path | None,
    wheel_filename: pathlib.Path | None,
) -> None:
    logger.info("hook called: post_bootstrap of %s==%s", dist_name, dist_version)
    (ctx.work_dir / "test-output-file.txt").write_text(f"{dist_name}=={dist_version}")
    logger.info("variables: %s", " ".join(sorted(os.environ)))


def after_prebuilt_wheel(
    ctx: context.WorkContext,
    req: Requirement,
    dist_name: str,
    dist_version: str,
    wheel_filename: pathlib.Path,
) -> None:
    logger.info("hook called: prebuilt_wheel of %s", wheel_filename.name)
    (ctx.work_dir / "test-prebuilt.txt").write_text(f"{dist_name}=={dist_version}")


def segments(*, ctx, req, version, wheel_tags):
    return [ctx.variant, "any" if all(tag.platform == "any" for tag in wheel_tags) else "native"]
