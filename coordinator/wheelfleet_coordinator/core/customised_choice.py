"""What settings say to the choice of a version and of the file that it comes from."""

from typing import Final, Literal, NamedTuple

from packaging.requirements import Requirement

from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.bundle import Customisation
from wheelfleet_shared.names import NodeKey

from .candidates import Candidate
from .customising import Customised
from .git_url import is_git, with_submodules
from .recipes import archive_name
from .version_rules import WHEELS, Sought

NOT_CUSTOMISED: Final = Customised.parse(Customisation())
_DAY: Final = 86_400.0


class Ages(NamedTuple):
    """Of what age versions must be when the run is submitted (seconds since the epoch): days, 0 for any."""

    submitted_at: float = 0.0
    least: int = 0
    greatest: int = 0


class Source(NamedTuple):
    """Where a node comes from; sha256 empty where nobody promises one."""

    url: str
    name: str
    sha256: str
    type: Literal["sdist", "prebuilt", "override"]


def index_of(name: str, customised: Customised) -> str:
    """The index that the versions of a distribution are found on; empty for the run's."""
    if customised.pre_built(name):
        return customised.wheel_server_url(name)
    return customised.resolver_of(name).sdist_server_url


def sought_for(requirement: Requirement, kind: e.EdgeKind, customised: Customised, ages: Ages) -> Sought:
    """Which files may serve a requirement.

    What a user pins with ``==`` is not too young; what a setting says of the least age goes before the run.
    """
    name = requirement.name
    resolver = customised.resolver_of(name)
    least = ages.least if resolver.min_release_age is None else resolver.min_release_age
    pinned = kind == "toplevel" and _is_pinned(requirement)
    newest = ages.submitted_at - least * _DAY if least and not pinned else None
    oldest = ages.submitted_at - ages.greatest * _DAY if ages.greatest else None
    if customised.pre_built(name):
        return WHEELS._replace(newest=newest, oldest=oldest)
    wanted = {"sdist": resolver.include_sdists, "wheel": resolver.include_wheels}
    kinds = frozenset(kind for kind, included in wanted.items() if included)
    return Sought(kinds, resolver.ignore_platform, newest, oldest)


def _is_pinned(requirement: Requirement) -> bool:
    specifiers = list(requirement.specifier)
    return len(specifiers) == 1 and specifiers[0].operator == "==" and "*" not in specifiers[0].version


def source_of(candidate: Candidate, node: NodeKey, customised: Customised, *, stated: bool) -> Source:
    """Where the chosen version of a node comes from. stated: a saved order says it, whatever settings say now."""
    override = None if stated else customised.download_source_of(node)
    if override is not None and override.url:
        return Source(_with_submodules(override.url, node, customised), override.file_name, "", "override")
    if stated and is_git(candidate.url):
        return Source(candidate.url, archive_name(node), candidate.sha256, "override")
    prebuilt = customised.pre_built(node.name) or (stated and candidate.kind == "wheel")
    name = override.file_name if override is not None and override.file_name else candidate.file_name
    return Source(candidate.url, name, candidate.sha256, "prebuilt" if prebuilt else "sdist")


def has_source(candidate: Candidate, node: NodeKey, customised: Customised) -> bool:
    """Whether the node can be built, or need not be."""
    override = customised.download_source_of(node)
    return candidate.kind == "sdist" or customised.pre_built(node.name) or bool(override is not None and override.url)


def _with_submodules(url: str, node: NodeKey, customised: Customised) -> str:
    if not is_git(url):
        return url
    options = customised.git_options(node.name)
    return with_submodules(url, every=options.submodules, paths=options.submodule_paths)
