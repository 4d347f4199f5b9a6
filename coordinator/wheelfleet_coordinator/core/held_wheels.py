"""Wheels that our index holds already: do they serve a build that is about to begin, or stand in its way?"""

from functools import lru_cache

from packaging.tags import Tag
from packaging.utils import BuildTag, parse_wheel_filename

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.expectation import fits
from wheelfleet_shared.core.file import FileStatus, WheelFile
from wheelfleet_shared.core.targets import TargetDefinition
from wheelfleet_shared.core.wheel_check import build_tag_text
from wheelfleet_shared.names import ANY_TARGET

from .world import World


def serving_file(world: World, plan: e.BuildPlanned, target: TargetDefinition) -> WheelFile | None:
    """The published wheel of this build key that the target supports: another target's build made it.

    Source: a wheel serves every target that supports one of its tags (PEP 425), not only a none-any one.
    """
    found = (world.files[file] for file in world.published.get(plan.key, ()))
    return _least([file for file in found if _fits(file, target)]) or _imported_file(world, plan, target)


def _imported_file(world: World, plan: e.BuildPlanned, target: TargetDefinition) -> WheelFile | None:
    """A wheel that was imported, for a build of its version and build tag: its source is unknown, as from a cache.

    For a build that is for all targets it has to be pure.
    """
    found = (world.files[file] for file in world.projects.get((plan.index, plan.node.name), ()))
    serving = (file for file in found if _is_other(file, plan) and _is_imported(world, file) and _fits(file, target))
    return _least([file for file in serving if plan.target != ANY_TARGET or _is_pure(file)])


def _is_imported(world: World, file: WheelFile) -> bool:
    """Whether the wheel itself was the source of the build that stands for it, and tells what it took to build it."""
    if file.status is not FileStatus.PUBLISHED or not isinstance(file.accepted, e.WheelTakenOver):
        return False
    plan = world.build(file.accepted.build).plan
    return plan is not None and plan.source.file_name.endswith(".whl")


def _is_pure(file: WheelFile) -> bool:
    return file.accepted is not None and all(
        tag.abi == "none" and tag.platform == "any" for tag in _read(file.accepted.file.file_name)[1]
    )


def file_in_the_way(world: World, plan: e.BuildPlanned, target: TargetDefinition) -> WheelFile | None:
    """A published wheel of the same version and build tag that the target would get, made from other inputs."""
    found = (world.files[file] for file in world.projects.get((plan.index, plan.node.name), ()))
    return _least([file for file in found if _is_other(file, plan) and _fits(file, target)])


def _least(files: list[WheelFile]) -> WheelFile | None:
    return min(files, key=lambda file: file.id, default=None)


def _is_other(file: WheelFile, plan: e.BuildPlanned) -> bool:
    accepted = file.accepted
    if accepted is None or accepted.node != plan.node or accepted.key == plan.key:
        return False
    tag, _ = _read(accepted.file.file_name)
    return (build_tag_text(tag) or "0") == plan.build_tag


def _fits(file: WheelFile, target: TargetDefinition) -> bool:
    if file.accepted is None:
        return False
    _, tags = _read(file.accepted.file.file_name)
    return fits(tags, _supported(target.tags))


@lru_cache(maxsize=64)
def _supported(tags: tuple[str, ...]) -> frozenset[Tag]:
    """Remembered, since making 900 tags takes 1 ms and there are few targets."""
    return frozenset(Tag(*text.split("-")) for text in tags)


@lru_cache(maxsize=1 << 14)
def _read(file_name: str) -> tuple[BuildTag, frozenset[Tag]]:
    _, _, build, tags = parse_wheel_filename(file_name)
    return build, tags
