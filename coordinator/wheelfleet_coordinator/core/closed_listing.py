"""What a run that builds a saved order may choose from: the order's entries, else what our index holds.

The package index is not asked: a version that is newer by now must not slip into an environment.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.bundle import Entry
from wheelfleet_shared.names import IndexName, RunId

from .candidates import Candidate, ProjectListing, Release, candidate_at, missing_project
from .choose_version import Choice
from .constraints import Constraints
from .refusals import Refusal
from .world import World


def choose_entry(requirement: Requirement, listing: ProjectListing, constraints: Constraints) -> Choice | Refusal:
    """The newest version of a closed listing that requirement and constraint let in, pre-releases too.

    What a run once chose is chosen again: neither yanks nor Requires-Python are asked about.
    """
    for release in listing.releases:
        fits = requirement.specifier.contains(release.version, prereleases=True)
        if fits and constraints.admit(requirement.name, release.version):
            return Choice(str(release.version), release.candidates[0], "newest of the order that fits")
    held = ", ".join(str(release.version) for release in listing.releases) or "none"
    return Refusal(
        f"neither the order nor the index holds a version for {requirement} (held: {held})",
        "take the order and the constraints of one run, or bootstrap",
    )


def closed_listing(world: World, run: RunId, project: str, entries: tuple[Entry, ...]) -> ProjectListing:
    """What a run that builds a saved order may choose of a project: entries first, else what our index holds."""
    listing = listing_of_entries(project, entries)
    submitted = world.runs[run].submitted
    if listing.releases or submitted is None:
        return listing
    return listing_of_index(world, submitted.index, project)


def listing_of_entries(project: str, entries: Iterable[Entry]) -> ProjectListing:
    """The versions of a project that a build order holds, as if an index listed just these."""
    name = canonicalize_name(project)
    found = [_candidate(entry) for entry in entries if entry.name == name]
    return _listing(project, found)


def listing_of_index(world: World, index: IndexName, project: str) -> ProjectListing:
    """The versions of a project that are published in an index of ours, each by the source that it was built from."""
    found = []
    for file_id in world.projects.get((index, project), ()):
        accepted = world.files[file_id].accepted
        plan = world.build(accepted.build).plan if accepted is not None else None
        if plan is not None:
            found.append(_built_from(plan))
    return _listing(project, found)


def prebuilt_listing(world: World, index: IndexName, project: str) -> ProjectListing:
    """The prebuilt wheels of a project that an index of ours holds."""
    held = listing_of_index(world, index, project)
    return _listing(project, [candidate for candidate in held.candidates if candidate.kind == "wheel"])


def _candidate(entry: Entry) -> Candidate:
    kind: Literal["sdist", "wheel"] = "wheel" if entry.prebuilt else "sdist"
    found = candidate_at(entry.source_url, canonicalize_name(entry.name), entry.version, kind)
    return Candidate(
        file_name=found.file_name,
        name=found.name,
        version=found.version,
        kind=found.kind,
        url=found.url,
        sha256=entry.sha256,
    )


def _built_from(plan: e.BuildPlanned) -> Candidate:
    return Candidate(
        file_name=plan.source.file_name,
        name=canonicalize_name(plan.node.name),
        version=plan.node.version,
        kind="wheel" if plan.source.file_name.endswith(".whl") else "sdist",
        url=plan.source_url,
        sha256=plan.source.sha256,
    )


def _listing(project: str, candidates: Iterable[Candidate]) -> ProjectListing:
    by_version: dict[Version, dict[Candidate, None]] = {}
    for candidate in candidates:
        by_version.setdefault(Version(candidate.version), {})[candidate] = None
    if not by_version:
        return missing_project(project)
    return ProjectListing(canonicalize_name(project), _releases(by_version))


def _releases(by_version: Mapping[Version, Mapping[Candidate, None]]) -> tuple[Release, ...]:
    return tuple(Release(version, tuple(by_version[version])) for version in sorted(by_version, reverse=True))
