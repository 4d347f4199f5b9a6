"""A wheel in the index whose build tag is greater than the changelog comes to: lines of it went missing.

Source: fromager, which stops there. Installers take the greatest build tag of a version (wheel
specification, "File name convention"), so they would never see what is built now.
"""

import re
from typing import Final

from packaging.tags import Tag
from packaging.utils import parse_wheel_filename

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.expectation import fits
from wheelfleet_shared.core.file import WheelFile
from wheelfleet_shared.core.targets import TargetDefinition

from .world import World

_TAG: Final = re.compile(r"(\d+)(.*)")


def file_ahead(world: World, plan: e.BuildPlanned, target: TargetDefinition) -> WheelFile | None:
    """The published wheel of the same version with the greatest tag above the planned one, of equal suffix.

    Only what the target would get counts. Cost: nothing but a look at the names of the version's files.
    """
    expected = _TAG.fullmatch(plan.build_tag)
    if expected is None:
        return None
    least, suffix = int(expected[1]), expected[2]
    held = (world.files[file] for file in world.projects.get((plan.index, plan.node.name), ()))
    tagged = [(_tag(file), file) for file in held if file.accepted is not None and file.accepted.node == plan.node]
    greater = [(tag, file) for tag, file in tagged if tag[1] == suffix and tag[0] > least]
    serving = [(tag, file.id, file) for tag, file in greater if _serves(file, target)]
    return max(serving, key=lambda item: item[:2])[2] if serving else None


def _tag(file: WheelFile) -> tuple[int, str]:
    """The build tag in the name; a wheel without one counts as 0."""
    tag = parse_wheel_filename(_name(file))[2]
    return (tag[0], tag[1]) if tag else (0, "")


def _serves(file: WheelFile, target: TargetDefinition) -> bool:
    supported = frozenset(Tag(*text.split("-")) for text in target.tags)
    return fits(parse_wheel_filename(_name(file))[3], supported)


def _name(file: WheelFile) -> str:
    return file.accepted.file.file_name if file.accepted is not None else ""
