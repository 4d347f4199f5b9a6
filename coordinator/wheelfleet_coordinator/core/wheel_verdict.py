"""Whether an uploaded wheel may be published for what was planned."""

import zipfile
from collections.abc import Mapping, Sequence

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.expectation import check_expected, is_pure
from wheelfleet_shared.core.wheel_check import (
    Member,
    WheelFacts,
    check_wheel,
    dist_info_folder,
    is_planned_tag,
    read_wheel_name,
)
from wheelfleet_shared.errors import PolicyError
from wheelfleet_shared.names import ANY_TARGET


def judge_wheel(
    plan: e.BuildPlanned, file_name: str, members: Sequence[zipfile.ZipInfo], contents: Mapping[str, bytes]
) -> tuple[WheelFacts, bytes]:
    """What the wheel says of itself, and its METADATA; all of it as planned. Raises PolicyError with every fault."""
    listed = [Member(info.filename, info.file_size, info.CRC) for info in members if not info.is_dir()]
    folder = dist_info_folder(file_name, [member.name for member in listed])
    metadata = contents[f"{folder}/METADATA"]
    facts = check_wheel(
        file_name, listed, metadata, contents[f"{folder}/WHEEL"], contents[f"{folder}/RECORD"], plan.node
    )
    if not is_planned_tag(facts.build_tag, plan.build_tag):
        raise PolicyError(f"{file_name} has build tag {facts.build_tag or 'none'}, planned was {plan.build_tag}")
    unexpected = check_expected(plan.expectation, read_wheel_name(file_name).tags, ())
    if unexpected is not None:
        raise unexpected
    return facts, metadata


def verdict_on(plan: e.BuildPlanned, file_name: str) -> e.BuildSucceeded | e.BuildSplit:
    """How a build ends whose wheel is published: one for all targets only with a wheel that serves them all."""
    tags = read_wheel_name(file_name).tags
    if plan.target != ANY_TARGET or is_pure(tags):
        return e.BuildSucceeded()
    return e.BuildSplit(tuple(sorted(str(tag) for tag in tags)))
