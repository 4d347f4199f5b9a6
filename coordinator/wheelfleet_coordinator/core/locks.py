"""The environment of a build: a solve over the published wheels of its own closure, newest first.

Candidates are exactly the nodes reachable from the build's edges in this run's graph. Versions on
the edges are no pins: a closure may hold two versions of a name, and only a solve is installable.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec
import resolvelib
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version
from resolvelib.structs import RequirementInformation

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.targets import evaluate_marker
from wheelfleet_shared.names import digest

from .parsed import parsed


class Candidate(msgspec.Struct, frozen=True):
    """A published wheel that an environment may hold."""

    name: str
    version: str
    file: e.FileRef
    requires_dist: tuple[str, ...]


class Picked(NamedTuple):
    """A candidate with the extras it was asked for."""

    candidate: Candidate
    extras: frozenset[str]


class Unsolvable(Exception):
    """No choice among the candidates satisfies all requirements. way_out: what a person can do about it."""

    def __init__(self, causes: str, way_out: str) -> None:
        super().__init__(causes)
        self.way_out = way_out


Identifier = tuple[str, frozenset[str]]


class _Provider(resolvelib.AbstractProvider[Requirement, Picked, Identifier]):
    """Facts for the solver: newest first, in an order that depends on names alone."""

    def __init__(self, candidates: Mapping[str, Sequence[Candidate]], environment: Mapping[str, str]) -> None:
        self._candidates = candidates
        self._environment = environment

    def identify(self, requirement_or_candidate: Requirement | Picked) -> Identifier:
        if isinstance(requirement_or_candidate, Picked):
            return requirement_or_candidate.candidate.name, requirement_or_candidate.extras
        return canonicalize_name(requirement_or_candidate.name), frozenset(requirement_or_candidate.extras)

    def get_preference(
        self,
        identifier: Identifier,
        resolutions: Mapping[Identifier, Picked],
        candidates: Mapping[Identifier, Iterator[Picked]],
        information: Mapping[Identifier, Iterator[RequirementInformation[Requirement, Picked]]],
        backtrack_causes: Sequence[RequirementInformation[Requirement, Picked]],
    ) -> tuple[bool, str, list[str]]:
        del resolutions, candidates, information
        causes = {self.identify(cause.requirement)[0] for cause in backtrack_causes}
        return identifier[0] not in causes, identifier[0], sorted(identifier[1])

    def find_matches(
        self,
        identifier: Identifier,
        requirements: Mapping[Identifier, Iterator[Requirement]],
        incompatibilities: Mapping[Identifier, Iterator[Picked]],
    ) -> Iterable[Picked]:
        name, extras = identifier
        specifiers = [requirement.specifier for requirement in requirements[identifier]]
        excluded = {picked.candidate.version for picked in incompatibilities[identifier]}
        return [
            Picked(candidate, extras)
            for candidate in self._candidates.get(name, ())
            if candidate.version not in excluded
            and all(specifier.contains(candidate.version, prereleases=True) for specifier in specifiers)
        ]

    def is_satisfied_by(self, requirement: Requirement, candidate: Picked) -> bool:
        return requirement.specifier.contains(candidate.candidate.version, prereleases=True)

    def get_dependencies(self, candidate: Picked) -> Iterable[Requirement]:
        wheel, extras = candidate
        if extras:
            yield parsed(f"{wheel.name}=={wheel.version}")
        for text in wheel.requires_dist:
            requirement = parsed(text)
            if evaluate_marker(requirement, self._environment, extras):
                yield requirement


def solve(
    requirements: Iterable[str], candidates: Iterable[Candidate], environment: Mapping[str, str]
) -> tuple[Candidate, ...]:
    """The wheels to install, one a name, sorted; every requirement that holds on the target is met.

    Raises Unsolvable with the causes in words. Cost: one solve; closures hold tens of names.
    """
    by_name: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        by_name.setdefault(candidate.name, []).append(candidate)
    for versions in by_name.values():
        versions.sort(key=lambda candidate: Version(candidate.version), reverse=True)
    roots = [r for r in map(parsed, requirements) if evaluate_marker(r, environment, frozenset())]
    resolver: resolvelib.Resolver[Requirement, Picked, Identifier] = resolvelib.Resolver(
        _Provider(by_name, environment), resolvelib.BaseReporter()
    )
    try:
        result = resolver.resolve(roots, max_rounds=10_000)
    except resolvelib.ResolutionImpossible as error:
        raise Unsolvable(_causes(error), _way_out(error)) from error
    found = {picked.candidate.name: picked.candidate for picked in result.mapping.values()}
    return tuple(found[name] for name in sorted(found))


def _causes(error: "resolvelib.ResolutionImpossible[Requirement, Picked]") -> str:
    """Each requirement in conflict and who states it."""
    lines = {f"{cause.requirement} (needed by {_parent(cause.parent)})" for cause in error.causes}
    return "these cannot all hold: " + "; ".join(sorted(lines))


def _parent(parent: Picked | None) -> str:
    return "the build" if parent is None else f"{parent.candidate.name} {parent.candidate.version}"


def _way_out(error: "resolvelib.ResolutionImpossible[Requirement, Picked]") -> str:
    """The constraint line that would help.

    Where some version could satisfy all who ask for a name, the line asks for that; else it asks for
    another version of one that asks.
    """
    asked: dict[str, SpecifierSet] = {}
    for cause in error.causes:
        name = canonicalize_name(cause.requirement.name)
        asked[name] = asked.get(name, SpecifierSet()) & cause.requirement.specifier
    met = [name for name in sorted(asked) if asked[name] and not asked[name].is_unsatisfiable()]
    lines = [f"{name}{asked[name]}" for name in met]
    parents = {cause.parent.candidate for cause in error.causes if cause.parent is not None}
    lines += sorted(f"{parent.name}!={parent.version}" for parent in parents)
    if not lines:
        return "change the build requirements of the source, which contradict each other"
    return f"add the constraint `{lines[0]}`, so that versions are chosen which fit together"


def lock_environment(
    static: tuple[str, ...],
    hook: tuple[str, ...] | None,
    candidates: Sequence[Candidate],
    environment: Mapping[str, str],
) -> e.EnvironmentLocked | e.EnvironmentUnsolvable:
    """Lock the static requirements, and with them what the hook asked for, once it was asked.

    The picks of the static solve are kept for the second one, since the hook answered in their
    presence; only where that cannot be solved are they free again, and the hook is asked anew.
    """
    try:
        picks, anew = solve(static, candidates, environment), False
        if hook:
            picks, anew = _with_hook(static, hook, picks, candidates, environment)
    except Unsolvable as error:
        return e.EnvironmentUnsolvable(str(error), error.way_out)
    files = tuple(e.LockedFile(pick.name, pick.version, pick.file) for pick in picks)
    identity = digest("lock/1", *sorted(pick.file.sha256 for pick in picks))
    return e.EnvironmentLocked(0, files, identity, hook is None, anew)


def _with_hook(
    static: tuple[str, ...],
    hook: tuple[str, ...],
    picks: tuple[Candidate, ...],
    candidates: Sequence[Candidate],
    environment: Mapping[str, str],
) -> tuple[tuple[Candidate, ...], bool]:
    """The picks of both, and whether those of the static solve had to go."""
    pins = tuple(f"{pick.name}=={pick.version}" for pick in picks)
    try:
        return solve((*static, *hook, *pins), candidates, environment), False
    except Unsolvable:
        return solve((*static, *hook), candidates, environment), True
