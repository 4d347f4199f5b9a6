"""Builds that end without an attempt: by a wheel that is there already, or because one is in the way."""

from packaging.utils import parse_wheel_filename

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.build import Status
from wheelfleet_shared.core.file import FileStatus
from wheelfleet_shared.core.wheel_check import build_tag_text
from wheelfleet_shared.errors import PolicyError

from .decisions import is_active
from .instructions import AcceptPrebuilt, Refuse, Satisfy, TakeOver
from .world import World


def take_over(world: World, instruction: TakeOver | AcceptPrebuilt, file: e.FileRef) -> tuple[e.Event, ...]:
    """Name a build and end it by a published wheel, in one decision: nothing of it is ever begun."""
    return _named(world, instruction, e.BuildSatisfied(file))


def _named(
    world: World, instruction: TakeOver | AcceptPrebuilt, end: e.BuildSatisfied | e.BuildFailed
) -> tuple[e.Event, ...]:
    """The build named, if nobody has, or open again, and ended at once."""
    build = world.build(instruction.build)
    if not is_active(world, instruction.run):
        return ()
    wanted = () if instruction.run in build.wanted_by else (e.BuildWanted(instruction.run),)
    if build.status is Status.ABSENT:
        return (instruction.plan, *wanted, end)
    again = isinstance(instruction, AcceptPrebuilt) and build.status is Status.PLANNED
    return (*wanted, end) if again else ()


def refuse_prebuilt(world: World, instruction: AcceptPrebuilt, fault: PolicyError) -> tuple[e.Event, ...]:
    """End the build of a prebuilt wheel that cannot be published."""
    return _named(world, instruction, e.BuildFailed(e.Failure("policy", "prebuilt", fault.what, hint=fault.next_step)))


def satisfy(world: World, instruction: Satisfy) -> tuple[e.Event, ...]:
    """End a build by a wheel that is published already, naming the build first where nobody has."""
    build = world.build(instruction.build)
    file = world.files.get(instruction.file)
    serves = file is not None and file.status is FileStatus.PUBLISHED and is_active(world, instruction.run)
    if not serves or file is None or file.accepted is None:
        return ()
    ended = e.BuildSatisfied(file.accepted.file, file.accepted.build)
    wanted = () if instruction.run in build.wanted_by else (e.BuildWanted(instruction.run),)
    if build.status is Status.ABSENT:
        return (instruction.plan, *wanted, ended)
    waiting = build.status in {Status.PLANNED, Status.BLOCKED, Status.LOCKED, Status.QUEUED, Status.ABORTED}
    return (*wanted, ended) if waiting else ()


def refuse(world: World, instruction: Refuse) -> tuple[e.Event, ...]:
    """Name a build and end it at once: what it would make has the name of a wheel made from other inputs."""
    build = world.build(instruction.build)
    file = world.files.get(instruction.file)
    if build.status is not Status.ABSENT or file is None or file.accepted is None:
        return ()
    if not is_active(world, instruction.run):
        return ()
    line, hint = _reason(world, instruction, file.accepted.file.file_name)
    failed = e.BuildFailed(e.Failure("policy", "plan", line, hint=hint))
    return (instruction.plan, e.BuildWanted(instruction.run), failed)


def _reason(world: World, instruction: Refuse, file_name: str) -> tuple[str, str]:
    """Why the wheel keeps the build from starting, and the ways out."""
    plan = instruction.plan
    found = build_tag_text(parse_wheel_filename(file_name)[2]) or "0"
    if found != plan.build_tag:
        line = (
            f"changelog for version {plan.node.version} is inconsistent: it comes to build tag {plan.build_tag}, "
            f"but {file_name} is published"
        )
        return line, "put the missing changelog lines back or add new ones, give --replace, or take another collection"
    line = f"{file_name} is already published from other inputs: {_difference(world, instruction)}"
    return line, "add a changelog line for a new build tag, give --replace, or build into another collection"


def _difference(world: World, instruction: Refuse) -> str:
    """What differs between the inputs of a planned build and those of the wheel in its way."""
    accepted = world.files[instruction.file].accepted
    held = world.build(accepted.build).plan if accepted is not None else None
    if held is None:
        return "it was taken over from elsewhere"
    plan = instruction.plan
    pairs = {
        "source": (held.source.sha256, plan.source.sha256),
        "patches and what prepares the source": (held.preparation, plan.preparation),
        "settings that reach the build": (held.recipe, plan.recipe),
    }
    return ", ".join(what for what, (before, now) in pairs.items() if before != now) or "its goal"
