"""The rules that decide whether a version may be chosen, each with a name.

They are fromager's: sdists only unless a wheel is asked for, yanked files never, Requires-Python
holds, pre-releases only where the requirement or the constraint mentions one, no fall-back to
pre-releases. One rule is ours: nothing uploaded after ``as_of`` exists.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Final, Literal, NamedTuple

from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from wheelfleet_shared.core.targets import TargetDefinition

from .candidates import Candidate, Release
from .constraints import Constraints

Rule = Literal[
    "requirement",
    "constraint",
    "pre-release",
    "as-of",
    "cooldown",
    "release age",
    "no sdist",
    "no wheel",
    "yanked",
    "requires-python",
    "tags",
    "previous graph",
]


class Sought(NamedTuple):
    """Which files may serve a requirement, beside what it says itself.

    kinds: of files that count. ignore_platform: wheels for other platforms count, too. newest, oldest:
    seconds since the epoch between which a file was uploaded (a cooldown, and a greatest age).
    """

    kinds: frozenset[str] = frozenset({"sdist"})
    ignore_platform: bool = False
    newest: float | None = None
    oldest: float | None = None


SDISTS: Final = Sought()
WHEELS: Final = Sought(frozenset({"wheel"}))


class Verdict(NamedTuple):
    """Why a version was not chosen: the first rule that it breaks, and what is known about that."""

    version: Version
    rule: Rule
    detail: str = ""


class Exclusion(NamedTuple):
    """Neighbouring versions that one rule keeps out for one reason, as normalised texts."""

    rule: Rule
    newest: str
    oldest: str
    versions: int
    detail: str = ""

    def __str__(self) -> str:
        versions = self.newest if self.versions == 1 else f"{self.newest} … {self.oldest} ({self.versions} versions)"
        return f"{versions}: {self.rule}" + (f" ({self.detail})" if self.detail else "")


class Rules:
    """The rules for one requirement on one target."""

    def __init__(
        self,
        requirement: Requirement,
        constraints: Constraints,
        target: TargetDefinition,
        *,
        as_of: float | None,
        sought: Sought = SDISTS,
    ) -> None:
        self.requirement = requirement
        self.constraints = constraints
        self.target = target
        self.as_of = as_of
        self.sought = sought
        self.python = Version(target.marker_environment["python_full_version"])
        self.prereleases = constraints.allow_prereleases(requirement.name) or bool(requirement.specifier.prereleases)
        self._python_fits: dict[str, bool] = {}

    def admit(self, version: Version) -> bool:
        """Whether requirement, constraint and the rule for pre-releases let the version in."""
        return self.requirement.specifier.contains(version, prereleases=self.prereleases) and self.constraints.admit(
            self.requirement.name, version
        )

    def seen(self, candidate: Candidate) -> bool:
        """Whether the file existed at ``as_of``; one without an upload time cannot be said to."""
        return self.as_of is None or (candidate.uploaded is not None and candidate.uploaded <= self.as_of)

    def judge(self, release: Release) -> Candidate | Verdict:
        """The file to use of a version, or the first rule that leaves none."""
        version = release.version
        if not self.requirement.specifier.contains(version, prereleases=True):
            return Verdict(version, "requirement", str(self.requirement.specifier))
        if not self.constraints.admit(self.requirement.name, version):
            return Verdict(version, "constraint", self.constraints.text(self.requirement.name))
        if not self.admit(version):
            return Verdict(version, "pre-release")
        return self._judge_files(version, release.candidates)

    def best(self, candidates: Iterable[Candidate]) -> Candidate | None:
        """The first of equal files in page order; of wheels the highest build tag, then the best platform tag."""
        ranked = sorted(candidates, key=self._rank_of_tags)
        return max(ranked, key=lambda candidate: (candidate.kind == "sdist", candidate.build), default=None)

    def wanted(self, candidate: Candidate) -> bool:
        """Whether the file is of the kind that this requirement is served from."""
        return candidate.kind in self.sought.kinds

    def _judge_files(self, version: Version, candidates: Sequence[Candidate]) -> Candidate | Verdict:
        existing = [candidate for candidate in candidates if self.seen(candidate)]
        if not existing:
            return Verdict(version, "as-of")
        outside = self._outside_ages(version, existing)
        if outside is not None:
            return outside
        right_kind = [candidate for candidate in existing if self.wanted(candidate)]
        if not right_kind:
            return self._wrong_kind(version, existing)
        kept = [candidate for candidate in right_kind if not candidate.yanked]
        if not kept:
            return Verdict(version, "yanked", right_kind[0].yanked_reason)
        fitting = [candidate for candidate in kept if self._python_ok(candidate.requires_python)]
        if not fitting:
            return Verdict(version, "requires-python", kept[0].requires_python)
        best = self.best(candidate for candidate in fitting if self._tags_ok(candidate))
        return best if best is not None else Verdict(version, "tags", self.target.id)

    def _outside_ages(self, version: Version, existing: Sequence[Candidate]) -> Verdict | None:
        """Why no file of the version is of the wanted age; one without an upload time is not old enough."""
        newest, oldest = self.sought.newest, self.sought.oldest
        if newest is not None and not any(item.uploaded is not None and item.uploaded <= newest for item in existing):
            return Verdict(version, "cooldown")
        if oldest is not None and not any(item.uploaded is None or item.uploaded >= oldest for item in existing):
            return Verdict(version, "release age")
        return None

    def _wrong_kind(self, version: Version, existing: Sequence[Candidate]) -> Verdict:
        if self.sought.kinds == WHEELS.kinds:
            return Verdict(version, "no wheel", f"{_count(len(existing), 'sdist')} exist")
        return Verdict(version, "no sdist", f"{_count(len(existing), 'wheel')} exist")

    def _python_ok(self, requires_python: str) -> bool:
        """Whether the target's Python is let in; a specifier that cannot be read lets nothing in."""
        if not requires_python:
            return True
        fits = self._python_fits.get(requires_python)
        if fits is None:
            try:
                fits = self.python in SpecifierSet(requires_python)
            except InvalidSpecifier:
                fits = False
            self._python_fits[requires_python] = fits
        return fits

    def _tags_ok(self, candidate: Candidate) -> bool:
        if candidate.kind == "sdist" or self.sought.ignore_platform:
            return True
        return any(tag in self._ranks for tag in candidate.tags)

    def _rank_of_tags(self, candidate: Candidate) -> int:
        if candidate.kind == "sdist":
            return -1
        worst = len(self._ranks)
        return min((self._ranks.get(tag, worst) for tag in candidate.tags), default=worst)

    @cached_property
    def _ranks(self) -> dict[str, int]:
        """Tag of the target → its place, 0 the most specific one; made only where wheels are compared."""
        return {tag: place for place, tag in enumerate(self.target.tags)}


def grouped(verdicts: Iterable[Verdict]) -> tuple[Exclusion, ...]:
    """Verdicts in the order of versions, neighbours with the same rule and detail taken together."""
    groups: list[Exclusion] = []
    for verdict in verdicts:
        text = str(verdict.version)
        if groups and (groups[-1].rule, groups[-1].detail) == (verdict.rule, verdict.detail):
            groups[-1] = groups[-1]._replace(oldest=text, versions=groups[-1].versions + 1)
        else:
            groups.append(Exclusion(verdict.rule, text, text, 1, verdict.detail))
    return tuple(groups)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
