"""The constraints of a run on one target: at most one requirement a distribution."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from wheelfleet_shared.errors import InputError

from .requirement_lines import RequirementLine


class _Constraint(NamedTuple):
    requirement: Requirement
    origin: str
    blocks: bool


class Constraints:
    """What versions may be chosen at all; immutable once made."""

    def __init__(self, merged: Mapping[NormalizedName, _Constraint] | None = None) -> None:
        self._merged = dict(merged or {})

    @classmethod
    def merge(cls, lines: Iterable[RequirementLine], marker_environment: Mapping[str, str]) -> "Constraints":
        """The lines that hold in the environment, several on one name as one.

        ``name<0`` blocks a distribution. Raises InputError, naming each line involved, where a line
        has extras or no specifier, or where no version could satisfy it together with the others.
        Markers are judged after that, so a malformed line is refused on every target.
        """
        merged: dict[NormalizedName, _Constraint] = {}
        for line in lines:
            constraint = _checked(line)
            marker = constraint.requirement.marker
            if marker is not None and not marker.evaluate(dict(marker_environment)):
                continue
            name = canonicalize_name(constraint.requirement.name)
            merged[name] = _both(merged[name], constraint) if name in merged else constraint
        return cls(merged)

    def of(self, name: str) -> Requirement | None:
        """The constraint on a distribution, all its lines in one."""
        found = self._merged.get(canonicalize_name(name))
        return found.requirement if found else None

    def text(self, name: str) -> str:
        """The constraint as graphs and build orders record it; empty for none."""
        found = self.of(name)
        return str(found) if found else ""

    def origin(self, name: str) -> str:
        """Where the lines stand that make the constraint; empty for none."""
        found = self._merged.get(canonicalize_name(name))
        return found.origin if found else ""

    def allow_prereleases(self, name: str) -> bool:
        """Whether the constraint itself mentions a pre-release."""
        found = self.of(name)
        return bool(found is not None and found.specifier.prereleases)

    def blocks(self, name: str) -> bool:
        """Whether the constraint says that the distribution must not be had at all."""
        found = self._merged.get(canonicalize_name(name))
        return bool(found and found.blocks)

    def admit(self, name: str, version: Version) -> bool:
        """Whether the version may be chosen; pre-releases are judged elsewhere."""
        found = self.of(name)
        return found is None or found.specifier.contains(version, prereleases=True)


def _checked(line: RequirementLine) -> _Constraint:
    """The line as a constraint that could hold by itself."""
    requirement = Requirement(line.text)
    if requirement.extras:
        raise InputError(f"{line.origin}: the constraint {line.text!r} has extras", "write it without [extras]")
    if not requirement.specifier:
        raise InputError(f"{line.origin}: the constraint {line.text!r} names no version", "add a specifier, as in <2")
    blocks = _is_block(requirement.specifier)
    if not blocks and requirement.specifier.is_unsatisfiable():
        raise InputError(
            f"{line.origin}: no version satisfies the constraint {line.text!r}",
            f"write {requirement.name}<0 to keep a distribution out",
        )
    return _Constraint(requirement, line.origin, blocks)


def _both(first: _Constraint, second: _Constraint) -> _Constraint:
    """One constraint that holds where both do; its name and marker are those of the second."""
    specifier = first.requirement.specifier & second.requirement.specifier
    if first.blocks is not second.blocks or (not first.blocks and specifier.is_unsatisfiable()):
        raise InputError(
            f"the constraints {str(first.requirement)!r} ({first.origin}) and "
            f"{str(second.requirement)!r} ({second.origin}) contradict each other",
            "remove one of them",
        )
    if first.blocks:
        return second
    requirement = Requirement(str(second.requirement))
    requirement.specifier = specifier
    return _Constraint(requirement, f"{first.origin}, {second.origin}", blocks=False)


def _is_block(specifier: SpecifierSet) -> bool:
    """Whether it is ``<0`` (or ``<0.0`` …), which no version satisfies: the sign for *not this one*."""
    parts = list(specifier)
    return len(parts) == 1 and parts[0].operator == "<" and Version(parts[0].version) == Version("0")
