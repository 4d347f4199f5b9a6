"""What a target is."""

import re
from collections.abc import Mapping

import msgspec
from packaging.requirements import Requirement

from ..errors import SourceError
from ..names import TargetId

_KERNEL = re.compile(r"platform_(release|version)")


class TargetDefinition(msgspec.Struct, frozen=True):
    """What wheels of a target may rely on."""

    id: TargetId
    implementation: str
    python: str
    abi: str
    machine: str
    libc: str
    libc_floor: str
    marker_environment: dict[str, str]
    tags: tuple[str, ...]


def evaluate_marker(requirement: Requirement, environment: Mapping[str, str], extras: frozenset[str]) -> bool:
    """Whether the requirement holds on a target for a parent that was required with these extras.

    The marker is judged once for each extra and holds if it does for any of them; without extras
    it is judged with an empty one. Raises SourceError where it reads the kernel's release or
    version, which no target fixes.
    """
    marker = requirement.marker
    if marker is None:
        return True
    if _KERNEL.search(str(marker)):
        raise SourceError(
            f"the marker of {requirement} reads the kernel's release or version",
            "patch the requirement: a wheel must not depend on the kernel of one host",
        )
    return any(marker.evaluate({**environment, "extra": extra}) for extra in (extras or {""}))
