"""Build tags: how often a wheel of one version was made anew for a reason that stands in a changelog."""

from collections.abc import Mapping, Sequence

from packaging.utils import BuildTag
from packaging.version import Version


def changelog_of(changelog: Mapping[Version, Sequence[str]], version: Version) -> Sequence[str]:
    """The entries of one version; a local version has those of its public one."""
    return changelog.get(Version(version.public), ())


def build_tag(
    of_variant: Sequence[str], changelog: Mapping[Version, Sequence[str]], version: Version, *, pre_built: bool
) -> BuildTag:
    """The number of entries for the variant and for the version; () for none, and for prebuilt wheels."""
    count = 0 if pre_built else len(of_variant) + len(changelog_of(changelog, version))
    return (count, "") if count else ()


def tag_in_names(tag: BuildTag, *, pre_built: bool) -> str:
    """The tag in the name of a file: each wheel that we build has one, ``0`` without a changelog; others none."""
    return "" if pre_built else f"{tag[0]}{tag[1]}" if tag else "0"
