"""Kinds of requirements, and markers."""

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement

from wheelfleet_agent.plugin_child.unoffered import stand_ins


class RequirementType(StrEnum):
    """Why a distribution is required."""

    INSTALL = "install"
    TOP_LEVEL = "toplevel"
    BUILD_SYSTEM = "build-system"
    BUILD_BACKEND = "build-backend"
    BUILD_SDIST = "build-sdist"


class SourceType(StrEnum):
    """Where a distribution comes from."""

    PREBUILT = "prebuilt"
    SDIST = "sdist"
    OVERRIDE = "override"


def evaluate_marker(parent_req: Requirement, req: Requirement, extras: Iterable[str] | None = None) -> bool:
    """Whether the marker holds for the interpreter of the agent, with any of the extras."""
    del parent_req
    environment = {str(name): str(value) for name, value in default_environment().items()}
    return req.marker is None or any(req.marker.evaluate({**environment, "extra": name}) for name in extras or ("",))


def parse_requirements_file(req_file: str | Path) -> list[str]:
    """The requirements of a file, one a line, comments left out."""
    lines = Path(req_file).read_text(encoding="utf-8").splitlines()
    return [text for line in lines if (text := line.partition("#")[0].strip())]


__getattr__ = stand_ins(__name__)
