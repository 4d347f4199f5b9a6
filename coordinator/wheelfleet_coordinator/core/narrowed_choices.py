"""Choices of a version, held to what settings, plugins and the hashes of a requirement file say of its files."""

import msgspec

from wheelfleet_shared.names import NodeKey

from .candidates import Candidate
from .choose_version import Choice
from .customised_choice import has_source
from .customising import Customised
from .refusals import Refusal


def with_source(every: tuple[Choice, ...], name: str, customised: Customised) -> tuple[Choice, ...] | Refusal:
    """The versions that can be built: settings may let wheels tell which there are, but nothing is built from those."""
    found = tuple(choice for choice in every if has_source(choice.candidate, NodeKey(name, choice.version), customised))
    return found or Refusal(
        f"of {name} {every[0].version} there is no sdist, only {every[0].candidate.file_name}",
        "say where its source is (download_source.url), or that its wheel is taken (pre_built)",
    )


def not_ours(name: str, functions: str) -> Refusal:
    """Versions or sources of another place than the plugin's would not be what its author means."""
    return Refusal(
        f"the plugin for {name} has {functions}, which cannot be called here",
        "say in its settings where versions and sources are: resolver_dist.sdist_server_url, download_source.url",
    )


def with_hashes(choices: tuple[Choice, ...], allowed: tuple[str, ...]) -> tuple[Choice, ...] | Refusal:
    """The choices whose files have a hash that the requirement file states; a refusal where none has."""
    held = [_with_hash(choice, allowed) for choice in choices]
    kept = tuple(choice for choice in held if isinstance(choice, Choice))
    return kept or next(item for item in held if isinstance(item, Refusal))


def _with_hash(choice: Choice, allowed: tuple[str, ...]) -> Choice | Refusal:
    """The choice, held to the hashes that the requirement file states."""
    candidate = choice.candidate
    if candidate.sha256 in allowed:
        return choice
    if not candidate.sha256 and len(allowed) == 1:
        return choice._replace(candidate=_promised(candidate, allowed[0]))
    found = candidate.sha256 or "no hash"
    return Refusal(
        f"the index lists {candidate.file_name} with {found}, the requirement allows {', '.join(allowed)}",
        "add the sha256 of the sdist (not of a wheel) to the requirement, or drop the hashes",
    )


def _promised(candidate: Candidate, sha256: str) -> Candidate:
    return msgspec.structs.replace(candidate, sha256=sha256)
