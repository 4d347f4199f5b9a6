"""From an upstream archive to the patched sdist that every agent builds from.

A function of the archive's bytes, the patches and the settings. It uses the folder it is given and
starts nothing: how a patch is applied comes in as a function.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
from packaging.version import Version

from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import Distribution, Sha256

from .archive import Extracted, extract
from .archive_limits import ExtractLimits
from .archive_tree import zip_time
from .patched_sdist import changed, check_tree, fingerprints, pack_sdist, stem
from .pyproject import FILE_NAME, BuildSystem, read_build_system
from .pyproject_fix import fix_build_requires
from .source_name import PKG_INFO, Claim, check_claim, read_claim, stub_pkg_info


class Patch(msgspec.Struct, frozen=True):
    """One patch for ``patch -p1``; ``name`` is for messages."""

    name: str
    data: bytes


ApplyPatch = Callable[[Path, Patch], None]
"""Applies a patch in a folder, leaving no ``.orig`` behind; raises SourceError where it does not fit.

With GNU patch this takes ``--forward`` (``--batch`` alone takes back a patch that upstream has already)
and ``--no-backup-if-mismatch``.
"""


class Preparation(msgspec.Struct, frozen=True):
    """The settings that reach preparation.

    epoch: ``SOURCE_DATE_EPOCH`` of the settings, or None. build_dir: where pyproject.toml lies,
    relative to the source. update_requires, remove_requires: of ``project_override``.
    """

    epoch: int | None = None
    build_dir: str = "."
    update_requires: tuple[str, ...] = ()
    remove_requires: tuple[str, ...] = ()


class PreparedSource(msgspec.Struct, frozen=True):
    """The patched sdist, and what is known of it without running it.

    tree: what it was packed from, still there; its times are the archive's. epoch: SOURCE_DATE_EPOCH
    of all that follows. touched: members that a patch or the settings changed.
    requires_dist_static: see source_name.Claim.
    """

    sdist: Path
    tree: Path
    sha256: Sha256
    size: int
    epoch: int
    build_system: BuildSystem
    touched: tuple[str, ...] = ()
    requires_dist_static: bool = False


def prepare_source(
    archive: Path,
    distribution: Distribution,
    version: Version,
    patches: Sequence[Patch],
    settings: Preparation,
    workdir: Path,
    apply_patch: ApplyPatch,
    limits: ExtractLimits | None = None,
) -> PreparedSource:
    """The patched sdist lies in workdir; equal inputs give equal bytes on every host.

    workdir must hold neither ``source`` nor the sdist. Raises SourceError (an unsafe or broken
    archive, another distribution than wanted, a patch that does not fit, a bad pyproject.toml)
    and InputError (a build_dir that is none).
    """
    opened = open_source(archive, distribution, version, workdir, limits)
    root = opened.extracted.root
    touched = _change(root, patches, settings, apply_patch)
    return _packed(opened, root, touched, settings, workdir)


class OpenedSource(msgspec.Struct, frozen=True):
    """An upstream archive, unpacked and found to be what was asked for."""

    distribution: Distribution
    version: Version
    extracted: Extracted
    claim: Claim | None


def open_source(
    archive: Path, distribution: Distribution, version: Version, workdir: Path, limits: ExtractLimits | None = None
) -> OpenedSource:
    """The archive stands unpacked in ``source`` below workdir. Raises SourceError as ``prepare_source``."""
    extracted = extract(archive, workdir / "source", limits)
    claim = read_claim(extracted.root)
    check_claim(claim, distribution, version)
    return OpenedSource(distribution, version, extracted, claim)


def pack_changed(opened: OpenedSource, tree: Path, settings: Preparation, workdir: Path) -> PreparedSource:
    """The patched sdist of a tree that something else made from the opened source; it lies in workdir.

    What differs from upstream's counts as touched. Raises SourceError, InputError as ``prepare_source``.
    """
    check_tree(tree)
    touched = changed(fingerprints(opened.extracted.root), fingerprints(tree))
    return _packed(opened, tree, touched, settings, workdir)


def pack_again(
    prepared: PreparedSource, distribution: Distribution, version: Version, before: Mapping[str, str]
) -> PreparedSource:
    """The patched sdist of a prepared tree that was changed since; what differs from ``before`` counts as touched.

    before: fingerprints of the tree. Raises SourceError for a link that leaves it.
    """
    touched = {*prepared.touched, *changed(before, fingerprints(prepared.tree))}
    prepared.sdist.unlink()
    pack_sdist(prepared.tree, stem(distribution, version), prepared.epoch, touched, prepared.sdist)
    size, names = prepared.sdist.stat().st_size, tuple(sorted(touched))
    return msgspec.structs.replace(prepared, sha256=_sha256(prepared.sdist), size=size, touched=names)


def _packed(
    opened: OpenedSource, tree: Path, touched: frozenset[str], settings: Preparation, workdir: Path
) -> PreparedSource:
    name = stem(opened.distribution, opened.version)
    build_folder = _build_folder(tree, settings.build_dir)
    for folder in {tree, build_folder}:
        _ensure_pkg_info(folder, opened.distribution, opened.version)
    epoch = _epoch(opened.extracted, settings)
    sdist = workdir / f"{name}.tar.gz"
    pack_sdist(tree, name, epoch, touched, sdist)
    return PreparedSource(
        sdist,
        tree,
        _sha256(sdist),
        sdist.stat().st_size,
        epoch,
        read_build_system(build_folder),
        tuple(sorted(touched)),
        opened.claim is not None and opened.claim.requires_dist_static,
    )


def _change(root: Path, patches: Sequence[Patch], settings: Preparation, apply_patch: ApplyPatch) -> frozenset[str]:
    """Patches and the override are applied; names of what they changed."""
    if not patches and not settings.update_requires and not settings.remove_requires:
        return frozenset()
    before = fingerprints(root)
    for patch in patches:
        apply_patch(root, patch)
    check_tree(root)
    _fix_pyproject(_build_folder(root, settings.build_dir) / FILE_NAME, settings)
    return changed(before, fingerprints(root))


def _fix_pyproject(file: Path, settings: Preparation) -> None:
    data = file.read_bytes() if file.is_file() else b""
    fixed = fix_build_requires(data, settings.update_requires, settings.remove_requires)
    if fixed != data:
        file.write_bytes(fixed)


def _build_folder(root: Path, build_dir: str) -> Path:
    folder = (root / build_dir).resolve()
    if folder.is_relative_to(root.resolve()) and folder.is_dir():
        return folder
    raise InputError(f"build_dir {build_dir!r} is no folder inside the source", "correct it in the settings")


def _ensure_pkg_info(folder: Path, distribution: Distribution, version: Version) -> None:
    file = folder / PKG_INFO
    if not file.is_file():
        file.write_bytes(stub_pkg_info(distribution, version))
        file.chmod(0o644)


def _epoch(extracted: Extracted, settings: Preparation) -> int:
    return zip_time(extracted.newest_mtime if settings.epoch is None else settings.epoch)


def _sha256(file: Path) -> Sha256:
    with file.open("rb") as opened:
        return Sha256(hashlib.file_digest(opened, "sha256").hexdigest())
