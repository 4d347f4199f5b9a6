"""Sources in Rust: which manifests their crates are vendored from, and what makes cargo use the vendored ones."""

import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import tomlkit
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .pyproject import FILE_NAME, BuildSystem

VENDOR: Final = "vendor"
_MANIFEST: Final = "Cargo.toml"
_CONFIG: Final = (".cargo", "config.toml")
_SHIPPED: Final = (".a", ".lib")
"""Endings of libraries that crates ship compiled, for other systems."""


class RustSource(NamedTuple):
    """root: folder that ``vendor`` and ``.cargo`` belong to. manifests: at least one Cargo.toml."""

    root: Path
    manifests: tuple[Path, ...]


def rust_source(folder: Path, system: BuildSystem) -> RustSource | None:
    """What of the source is to be vendored; None where it is not in Rust, or brings its crates already.

    In Rust are those that maturin builds or that require setuptools-rust, and have a manifest: where the
    tables of these two in pyproject.toml say, else at the top, for maturin else in ``rust``. folder: where
    pyproject.toml lies; nothing outside of it is taken.
    """
    tools = {"maturin", "setuptools-rust"} & {canonicalize_name(Requirement(text).name) for text in system.requires}
    if system.backend == "maturin":
        tools = {"maturin"}
    if not tools:
        return None
    found = _maturin(folder) if "maturin" in tools else _setuptools(folder)
    return found if found is not None and not _is_vendored(found.root) else None


def shrink_crates(vendor: Path) -> None:
    """Libraries that the vendored crates ship compiled are empty, and cargo does not miss their digests."""
    for crate in sorted(path for path in vendor.iterdir() if path.is_dir()):
        emptied = [path for path in sorted(crate.rglob("*")) if path.suffix in _SHIPPED and _is_file(path)]
        checksums = crate / ".cargo-checksum.json"
        if not emptied or not _is_file(checksums):
            continue
        for path in emptied:
            path.write_bytes(b"")
        table = json.loads(checksums.read_bytes())
        for path in emptied:
            table["files"].pop(path.relative_to(crate).as_posix(), None)
        checksums.write_text(json.dumps(table, separators=(",", ":")))


def use_vendored(root: Path) -> None:
    """``.cargo/config.toml`` below the root says that crates are those in ``vendor``; what else it says stays."""
    file = root.joinpath(*_CONFIG)
    file.parent.mkdir(exist_ok=True)
    config = tomlkit.parse(file.read_text() if _is_file(file) else "")
    sources: Any = config.setdefault("source", tomlkit.table())
    sources["crates-io"] = {"replace-with": "vendored-sources"}
    sources["vendored-sources"] = {"directory": VENDOR}
    file.write_text(tomlkit.dumps(config))


def _maturin(folder: Path) -> RustSource | None:
    named = _table(folder, "tool", "maturin").get("manifest-path")
    if isinstance(named, str):
        return _of(folder, folder, [named])
    alternative = folder / "rust"
    if not _is_file(folder / _MANIFEST) and _is_file(alternative / _MANIFEST):
        return _of(folder, alternative, [f"rust/{_MANIFEST}"])
    return _of(folder, folder, [_MANIFEST])


def _setuptools(folder: Path) -> RustSource | None:
    modules = _table(folder, "tool", "setuptools-rust").get("ext-modules", ())
    entries = modules if isinstance(modules, list) else ()
    named = [entry["path"] for entry in entries if isinstance(entry, dict) and isinstance(entry.get("path"), str)]
    return _of(folder, folder, named or [_MANIFEST])


def _of(folder: Path, root: Path, names: Sequence[str]) -> RustSource | None:
    inside = folder.resolve()
    manifests = [folder / name for name in dict.fromkeys(names)]
    good = tuple(path for path in manifests if path.is_file() and path.resolve().is_relative_to(inside))
    return RustSource(root, good) if good else None


def _is_vendored(root: Path) -> bool:
    """Whether the source comes with its crates, or a patch brought them, and cargo is told so."""
    config = root.joinpath(*_CONFIG)
    if not (root / VENDOR).is_dir() or not _is_file(config):
        return False
    return "replace-with" in _parsed(config).get("source", {}).get("crates-io", {})


def _table(folder: Path, *keys: str) -> dict[str, Any]:
    found = _parsed(folder / FILE_NAME) if (folder / FILE_NAME).is_file() else {}
    for key in keys:
        found = found.get(key, {})
        if not isinstance(found, dict):
            return {}
    return found


def _parsed(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return {}


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()
