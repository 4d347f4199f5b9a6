"""What a finished wheel holds beyond what its backend wrote, once its compiled members are found fit."""

from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from wheelfleet_shared.core.messages import Work
from wheelfleet_shared.core.recipe import BuildRecipe
from wheelfleet_shared.core.targets import TargetDefinition
from wheelfleet_shared.core.wheel_check import read_wheel_name

from ..core.build_record import build_record
from ..core.elf_members import elf_members
from ..core.elf_rules import check_elf, elf_lists
from ..core.sbom import FILE, BuiltWith, sbom


def additions(
    built: Path, work: Work, recipe: BuildRecipe, requirements: Iterable[str], definition: TargetDefinition
) -> dict[str, bytes]:
    """File name → content, for the dist-info folder: how it was built, what it links to, its SPDX document.

    Raises PolicyError where a compiled member does not run on the target. Cost: reads the wheel's
    libraries.
    """
    members = elf_members(built)
    check_elf(members, read_wheel_name(built.name).tags, definition)
    asked = tuple(requirements)
    record = build_record(recipe.settings, work.requirement_files.get("build-system", ()), asked, asked)
    return {**record, **elf_lists(members), **_sbom(work, recipe)}


def _sbom(work: Work, recipe: BuildRecipe) -> dict[str, bytes]:
    if recipe.sbom is None:
        return {}
    used = [BuiltWith(item.name, item.version, item.file.file_name, item.file.sha256) for item in work.environment]
    tool = f"wheelfleet-{version('wheelfleet')}"
    return {FILE: sbom(recipe.sbom, work.plan.node, work.plan.source.sha256, used, work.epoch, tool)}
