"""One constraints.txt for all targets of a run: markers where they differ, or a refusal that says why.

A marker may tell targets apart by their Python, their implementation, their machine; two targets that
differ in nothing a marker can read (two libc floors) cannot share a file in which they differ.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from packaging.markers import Marker
from packaging.version import Version

from wheelfleet_shared.names import TargetId

_VARIABLES: Final = ("python_version", "platform_machine", "implementation_name", "sys_platform", "platform_system")
_COMBINATIONS: Final = (
    *((variable,) for variable in _VARIABLES),
    ("python_version", "platform_machine"),
    ("python_version", "implementation_name"),
    ("python_version", "platform_machine", "implementation_name"),
    _VARIABLES,
)
"""What a marker may read, the shortest first."""


class TargetPins(NamedTuple):
    """What one target installs: its marker environment, and name → version."""

    target: TargetId
    environment: Mapping[str, str]
    pins: Mapping[str, str]


class FleetConstraints(NamedTuple):
    """The lines of all names that can be told apart; a sentence for each that cannot."""

    text: str
    conflicts: tuple[str, ...]


def fleet_constraints(targets: Sequence[TargetPins]) -> FleetConstraints:
    """The file for all targets. Cost: linear in names and targets, but for names that differ."""
    lines: list[str] = []
    conflicts: list[str] = []
    for name in sorted({name for target in targets for name in target.pins}):
        holding = [target for target in targets if name in target.pins]
        groups = _by_version(name, holding)
        if len(groups) == 1:
            lines.append(f"{name}=={next(iter(groups))}")
            continue
        markers = _markers(groups, holding)
        if markers is None:
            conflicts.append(_conflict(name, groups))
            continue
        lines += [f"{name}=={version}; {markers[version]}" for version in groups]
    return FleetConstraints("".join(f"{line}\n" for line in lines), tuple(conflicts))


def _by_version(name: str, holding: Iterable[TargetPins]) -> dict[str, list[TargetPins]]:
    """Version → the targets that have it, from old to new."""
    found: dict[str, list[TargetPins]] = {}
    for target in holding:
        found.setdefault(target.pins[name], []).append(target)
    return {version: found[version] for version in sorted(found, key=Version)}


def _markers(groups: Mapping[str, Sequence[TargetPins]], holding: Sequence[TargetPins]) -> dict[str, str] | None:
    """Version → the shortest marker that holds on its targets and on none of the others; None where there is none."""
    for variables in _COMBINATIONS:
        values = {version: _values(targets, variables) for version, targets in groups.items()}
        if sum(map(len, values.values())) == len(set().union(*values.values())):
            markers = {version: _marker(variables, found) for version, found in values.items()}
            return markers if _tells_apart(markers, holding, groups) else None
    return None


def _values(targets: Sequence[TargetPins], variables: Sequence[str]) -> set[tuple[str, ...]]:
    return {tuple(target.environment.get(variable, "") for variable in variables) for target in targets}


def _marker(variables: Sequence[str], found: Iterable[tuple[str, ...]]) -> str:
    alternatives = [
        " and ".join(f'{variable} == "{value}"' for variable, value in zip(variables, values, strict=True))
        for values in sorted(found)
    ]
    if len(alternatives) == 1 or len(variables) == 1:
        return " or ".join(alternatives)
    return " or ".join(f"({alternative})" for alternative in alternatives)


def _tells_apart(
    markers: Mapping[str, str], holding: Sequence[TargetPins], groups: Mapping[str, Sequence[TargetPins]]
) -> bool:
    """Whether an installer will read the markers as they are meant."""
    for version, text in markers.items():
        marker = Marker(text)
        for target in holding:
            meant = any(other.target == target.target for other in groups[version])
            if marker.evaluate(dict(target.environment)) is not meant:
                return False
    return True


def _conflict(name: str, groups: Mapping[str, Sequence[TargetPins]]) -> str:
    versions = "; ".join(
        f"{version} on {', '.join(sorted(target.target for target in targets))}" for version, targets in groups.items()
    )
    return f"{name}: no marker tells the targets of its versions apart: {versions}"
