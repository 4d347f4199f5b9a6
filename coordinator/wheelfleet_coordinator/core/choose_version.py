"""The version for one requirement: the highest that all rules let in, or the one of an earlier run.

Each requirement is served by itself: there is no backtracking, so several versions of one
distribution in a graph are normal. fromager lets a requirement take any version of the name that
its walk has found so far, for whatever requirement. Without a previous graph that changes nothing
unless pre-releases are met. With one it decides between what the run itself requires and what the
graph holds, by the order of the walk, which a walk of all paths at once does not have. So here a
run that requires what the previous one required takes the same versions everywhere, and anything
new that it requires outweighs the graph.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from wheelfleet_shared.core.events import EdgeKind
from wheelfleet_shared.core.targets import TargetDefinition

from .candidates import Candidate, ProjectListing, candidate_at
from .constraints import Constraints
from .previous_graph import KnownVersion, PreviousGraph
from .refusals import Refusal, refusal
from .version_rules import SDISTS, WHEELS, Exclusion, Rules, Sought, Verdict, grouped


class Choice(NamedTuple):
    """The version, the file to build from (or the wheel, where prebuilt), and why this one.

    excluded: the newer versions on the index, newest first, and the rule that keeps each out.
    """

    version: str
    candidate: Candidate
    why: str
    excluded: tuple[Exclusion, ...] = ()


class Parent(NamedTuple):
    """Who requires, and as what; name None: the run itself."""

    name: str | None
    kind: EdgeKind


def choose(
    requirement: Requirement,
    listing: ProjectListing,
    parent: Parent,
    *,
    constraints: Constraints,
    target: TargetDefinition,
    as_of: float | None = None,
    previous: PreviousGraph | None = None,
    top_level: Sequence[KnownVersion] = (),
    sought: Sought = SDISTS,
) -> Choice | Refusal:
    """The version that serves the requirement on the target, or why there is none.

    top_level: what this run's own requirements have led to so far. They count only where there is a
    previous graph, and go before it unless its run required the same: then it is repeated.
    ``as_of`` (seconds since the epoch) binds pins too: nothing uploaded later exists.
    Cost: a few µs for each version newer than the chosen one.
    """
    found = choose_every(
        requirement,
        listing,
        parent,
        constraints=constraints,
        target=target,
        as_of=as_of,
        previous=previous,
        top_level=top_level,
        sought=sought,
        most=1,
    )
    return found if isinstance(found, Refusal) else found[0]


def choose_every(
    requirement: Requirement,
    listing: ProjectListing,
    parent: Parent,
    *,
    constraints: Constraints,
    target: TargetDefinition,
    as_of: float | None = None,
    previous: PreviousGraph | None = None,
    top_level: Sequence[KnownVersion] = (),
    sought: Sought = SDISTS,
    most: int | None = None,
) -> tuple[Choice, ...] | Refusal:
    """Every version that serves the requirement, newest first; at least one. most: no more than these.

    Where a previous graph has versions that serve, it is those alone. As fromager, where everything is
    too old the newest counts alone, so that a greatest age leaves nothing without a version.
    """
    rules = Rules(requirement, constraints, target, as_of=as_of, sought=sought)
    if requirement.url is not None:
        return Refusal(f"{requirement.name} is required by a URL", "name a version, or give its source in settings")
    if previous is not None:
        pinned = tuple(islice(_pinned(rules, listing, parent, previous, top_level), most))
        if pinned:
            return pinned
    outcome = _served(rules, listing, most)
    if not isinstance(outcome, Refusal) or sought.oldest is None:
        return outcome
    ageless = Rules(requirement, constraints, target, as_of=as_of, sought=sought._replace(oldest=None))
    return _served(ageless, listing, 1)


def _served(rules: Rules, listing: ProjectListing, most: int | None) -> tuple[Choice, ...] | Refusal:
    """The newest versions of the listing that the rules let in; what keeps newer ones out stands with the first."""
    verdicts: list[Verdict] = []
    found: list[Choice] = []
    for release in listing.releases:
        judged = rules.judge(release)
        if isinstance(judged, Candidate):
            excluded = () if found else grouped(verdicts)
            found.append(Choice(str(release.version), judged, _newest(rules) if not found else _any(rules), excluded))
        else:
            verdicts.append(judged)
        if len(found) == most:
            break
    return tuple(found) or refusal(rules, listing, verdicts)


def file_names_of(listing: ProjectListing, version: str, *, as_of: float | None = None) -> tuple[str, ...]:
    """Every sdist and wheel the index lists for a version, yanked ones too, in page order.

    What it says of pure or native wheels holds for ``as_of``, so later uploads do not change it.
    """
    return tuple(
        candidate.file_name
        for release in listing.releases
        if str(release.version) == version
        for candidate in release.candidates
        if as_of is None or (candidate.uploaded is not None and candidate.uploaded <= as_of)
    )


def _newest(rules: Rules) -> str:
    constraint = rules.constraints.text(rules.requirement.name)
    return f"newest that {rules.requirement} allows" + (f" with the constraint {constraint}" if constraint else "")


def _any(rules: Rules) -> str:
    return f"{rules.requirement} allows it"


def _pinned(
    rules: Rules, listing: ProjectListing, parent: Parent, previous: PreviousGraph, top_level: Sequence[KnownVersion]
) -> Iterator[Choice]:
    """What the first source of pins has that requirement and constraint let in, newest first.

    A pin may be yanked and may state another Python: what was built once is built again.
    """
    for why, known in _sources_of_pins(rules, parent, previous, top_level):
        seen: set[Version] = set()
        for pin in sorted(known, key=lambda item: item.version, reverse=True):
            if pin.version in seen or not rules.admit(pin.version):
                continue
            candidate = _file_of(pin, rules, listing)
            if candidate is not None:
                seen.add(pin.version)
                yield Choice(str(pin.version), candidate, why, _newer(pin.version, rules, listing))
        if seen:
            return


def _sources_of_pins(
    rules: Rules, parent: Parent, previous: PreviousGraph, top_level: Sequence[KnownVersion]
) -> Iterator[tuple[str, Sequence[KnownVersion]]]:
    """Versions to prefer and how they are known, in the order in which they count."""
    name = canonicalize_name(rules.requirement.name)
    prebuilt = rules.sought.kinds == WHEELS.kinds
    by = parent.name or "the run"
    own = "required by the run itself", [known for known in top_level if known.name == name]
    edges = previous.required(parent.name, name, parent.kind)
    before = f"previous graph: {parent.kind} of {by}", [known for known in edges if known.pre_built is prebuilt]
    yield from (before, own) if _required_before(name, own[1], previous) else (own, before)
    nodes = previous.versions_of(name)
    yield "previous graph: by name", [known for known in nodes if known.pre_built is prebuilt]


def _required_before(name: str, own: Sequence[KnownVersion], previous: PreviousGraph) -> bool:
    """Whether the previous run itself required these versions, so that its other choices took them into account."""
    required = {known.version for known in previous.required(None, name, "toplevel")}
    return required.issuperset(known.version for known in own)


def _file_of(pin: KnownVersion, rules: Rules, listing: ProjectListing) -> Candidate | None:
    """The file of a pin: as the index lists it, else as the graph names it; None: uploaded after ``as_of``.

    The index may be another one than the graph was made from, so files are compared by name.
    """
    stated = candidate_at(
        pin.url, pin.name, str(pin.version), "wheel" if rules.sought.kinds == WHEELS.kinds else "sdist"
    )
    listed = [file for release in listing.releases if release.version == pin.version for file in release.candidates]
    same = [file for file in listed if file.file_name == stated.file_name]
    if not same and not pin.url:
        same = [file for file in listed if rules.wanted(file)]
    if same:
        return rules.best(file for file in same if rules.seen(file))
    return stated if pin.url else None


def _newer(version: Version, rules: Rules, listing: ProjectListing) -> tuple[Exclusion, ...]:
    """What keeps the versions newer than a pin out: their own rules, else the pin."""
    verdicts: list[Verdict] = []
    for release in listing.releases:
        if release.version <= version:
            break
        found = rules.judge(release)
        verdicts.append(found if isinstance(found, Verdict) else Verdict(release.version, "previous graph"))
    return grouped(verdicts)
