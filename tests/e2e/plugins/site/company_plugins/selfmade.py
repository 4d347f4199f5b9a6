"""An override of the kind with which flit_core is bootstrapped: it can build itself without any backend."""

import logging
import pathlib

from fromager import build_environment, context, external_commands
from packaging.requirements import Requirement
from packaging.version import Version

logger = logging.getLogger(__name__)


def build_wheel(
    ctx: context.WorkContext,
    build_env: build_environment.BuildEnvironment,
    extra_environ: dict[str, str],
    req: Requirement,
    sdist_root_dir: pathlib.Path,
    version: Version,
) -> None:
    logger.info("hook called: override of build_wheel in %s", sdist_root_dir.name)
    command = [str(build_env.python), "-m", "selfmade.wheel", "--outdir", str(ctx.wheels_build)]
    external_commands.run(command, cwd=str(sdist_root_dir), extra_environ=extra_environ)
