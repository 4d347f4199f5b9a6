"""Which patches a user has for which distribution, version and variant, and in which order they are applied.

Folders are fromager's: ``patches/<override name>[-<version>][/<variant>]/*.patch``.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from wheelfleet_shared.core.recipe import PatchFile
from wheelfleet_shared.errors import InputError

from .requirement_files import override_name

FOLDER: Final = "patches/"


class PlacedPatch(NamedTuple):
    """A patch and what it is for: version None means all, variant empty means all."""

    path: str
    version: Version | None
    variant: str
    file: PatchFile

    @property
    def order(self) -> tuple[str, bool, bool, str]:
        """By base name; of equal ones those for all versions first, then those for all variants."""
        return self.file.name, self.version is not None, self.variant != "", self.path


class Patches(NamedTuple):
    """All patches by the override name of their distribution; warnings name those that are never applied."""

    by_name: Mapping[str, tuple[PlacedPatch, ...]]
    warnings: tuple[str, ...] = ()

    def of(self, name: str, version: Version, variant: str) -> tuple[PatchFile, ...]:
        """The patches for one version, in the order in which they are applied; its local part counts for nothing."""
        public = Version(version.public)
        return tuple(
            placed.file
            for placed in self.by_name.get(override_name(name), ())
            if placed.version in {None, public} and placed.variant in {"", variant}
        )

    def missed(self, name: str, version: Version, variant: str) -> tuple[str, ...]:
        """A warning for each other version that has patches, where this one has none."""
        if self.of(name, version, variant):
            return ()
        others = {placed.version for placed in self.by_name.get(override_name(name), ()) if placed.version}
        return tuple(f"patch {other} exists but will not be applied for version {version}" for other in sorted(others))


def read_patches(files: Mapping[str, bytes], origin: str = "") -> Patches:
    """The patches among the files of a customisation, and where they belong.

    origin: put before paths in messages. Raises InputError for a folder whose version is none.
    """
    by_name: dict[str, list[PlacedPatch]] = {}
    warnings = []
    for path in sorted(files):
        if not path.startswith(FOLDER) or not path.endswith(".patch"):
            continue
        parts = path.removeprefix(FOLDER).split("/")
        if not 2 <= len(parts) <= 3:
            warnings.append(f"{origin}{path} is never applied: patches lie in <name>[-<version>][/<variant>]/")
            continue
        name, _, tail = parts[0].partition("-")
        version = _version(tail, f"{origin}{FOLDER}{parts[0]}") if tail else None
        warnings.extend(f"{origin}{path} is never applied: {why}" for why in _misplaced(parts[0], name, version))
        variant = parts[1] if len(parts) == 3 else ""
        placed = PlacedPatch(path, version, variant, PatchFile(parts[-1], files[path]))
        by_name.setdefault(name, []).append(placed)
    return Patches({name: _sorted(placed) for name, placed in by_name.items()}, tuple(warnings))


def _sorted(patches: Iterable[PlacedPatch]) -> tuple[PlacedPatch, ...]:
    return tuple(sorted(patches, key=lambda placed: placed.order))


def _version(text: str, folder: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion:
        raise InputError(
            f"the folder {folder} names no version: {text!r}", "call it <name>-<version>, with '_' for '-' in the name"
        ) from None


def _misplaced(folder: str, name: str, version: Version | None) -> Iterable[str]:
    wanted = override_name(canonicalize_name(name))
    if name != wanted or folder.endswith("-"):
        yield f"call its folder {wanted}" + (f"-{version}" if version else "")
    if version is not None and version.local:
        yield f"local versions use the patches of {version.public}"
