"""A source must be what it claims to be: its file name and PKG-INFO against what was asked for."""

from pathlib import Path

import msgspec
from packaging.metadata import parse_email
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from wheelfleet_shared.errors import SourceError
from wheelfleet_shared.names import Distribution

PKG_INFO = "PKG-INFO"
_SUFFIXES = (".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar", ".zip")
_STATIC_SINCE = Version("2.2")


class Claim(msgspec.Struct, frozen=True):
    """What the PKG-INFO of a source says.

    requires_dist_static: a wheel's Requires-Dist must equal the sdist's (PEP 643), so one pure
    wheel serves several Pythons without being asked again.
    """

    name: str
    version: str
    requires_dist_static: bool


def version_of(file_name: str, distribution: Distribution) -> Version:
    """The version in the name of a source archive of this distribution, in any legacy form.

    The name is taken off by its canonical form, since both parts may hold dashes. Raises
    SourceError where no cut gives the distribution and a version.
    """
    suffix = next((suffix for suffix in _SUFFIXES if file_name.lower().endswith(suffix)), None)
    stem = file_name[: -len(suffix)] if suffix else ""
    for at in [index for index, character in enumerate(stem) if character == "-"]:
        if canonicalize_name(stem[:at]) == distribution:
            try:
                return Version(stem[at + 1 :])
            except InvalidVersion:
                continue
    raise SourceError(f"{file_name!r} is no source archive of {distribution}", "check download_source in its settings")


def read_claim(folder: Path) -> Claim | None:
    """What the folder's PKG-INFO claims; None where there is none, or it names nothing."""
    file = folder / PKG_INFO
    if not file.is_file():
        return None
    raw, _ = parse_email(file.read_bytes())
    static = _is_static(raw.get("metadata_version", ""), raw.get("dynamic", []))
    return Claim(raw.get("name", ""), raw.get("version", ""), static)


def check_claim(claim: Claim | None, distribution: Distribution, version: Version) -> None:
    """The claim, where there is one, is this distribution at this version.

    Raises SourceError for a source that lies about its name or version.
    """
    if claim is None:
        return
    if canonicalize_name(claim.name) == distribution and _equal(claim.version, version):
        return
    raise SourceError(
        f"a source that lies about its name: wanted {distribution}=={version}, "
        f"its PKG-INFO says {claim.name or 'nothing'}=={claim.version or 'nothing'}",
        "check download_source in its settings",
    )


def stub_pkg_info(distribution: Distribution, version: Version) -> bytes:
    """The least PKG-INFO, for sources that come without: setuptools-scm and pbr read the version from it."""
    return f"Metadata-Version: 1.0\nName: {distribution}\nVersion: {version}\nSummary: unknown\n".encode()


def _is_static(metadata_version: str, dynamic: list[str]) -> bool:
    marked = {field.lower() for field in dynamic}
    try:
        return Version(metadata_version) >= _STATIC_SINCE and "requires-dist" not in marked
    except InvalidVersion:
        return False


def _equal(text: str, version: Version) -> bool:
    try:
        return Version(text) == version
    except InvalidVersion:
        return False
