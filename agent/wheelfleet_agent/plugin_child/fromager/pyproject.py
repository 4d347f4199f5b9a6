"""``project_override`` of the settings."""

from pathlib import Path

from packaging.requirements import Requirement

from wheelfleet_agent.core.pyproject import FILE_NAME
from wheelfleet_agent.core.pyproject_fix import fix_build_requires
from wheelfleet_agent.plugin_child.unoffered import stand_ins

from .context import WorkContext


def apply_project_override(ctx: WorkContext, req: Requirement, sdist_root_dir: Path) -> None:
    """The build requirements are those that the settings ask for."""
    file = ctx.package_build_info(req).build_dir(sdist_root_dir) / FILE_NAME
    data = file.read_bytes() if file.is_file() else b""
    fixed = fix_build_requires(data, ctx.question.update_requires, ctx.question.remove_requires)
    if fixed != data:
        file.write_bytes(fixed)


__getattr__ = stand_ins(__name__)
