"""Which sources need crates, and what is changed in them."""

import json
import tomllib

import pytest

from wheelfleet_agent.core.pyproject import BuildSystem
from wheelfleet_agent.core.rust_sources import rust_source, shrink_crates, use_vendored

MATURIN = BuildSystem(("maturin>=1",), "maturin")
EXTENSIONS = BuildSystem(("setuptools", "Setuptools_Rust"), "setuptools.build_meta")
TWO = """
[[tool.setuptools-rust.ext-modules]]
path = "a/Cargo.toml"
[[tool.setuptools-rust.ext-modules]]
path = "b/Cargo.toml"
[[tool.setuptools-rust.ext-modules]]
"""
CONFIG = '[source.crates-io]\nreplace-with = "vendored-sources"\n'


def tree(folder, *manifests, pyproject=""):
    for name in (*manifests,):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("[package]\n")
    (folder / "pyproject.toml").write_text(pyproject)
    return folder


def found(folder, system):
    source = rust_source(folder, system)
    if source is None:
        return None
    return source.root.relative_to(folder).as_posix(), [
        path.relative_to(folder).as_posix() for path in source.manifests
    ]


@pytest.mark.parametrize(
    ("system", "manifests", "pyproject", "expected"),
    [
        (MATURIN, ["Cargo.toml"], "", (".", ["Cargo.toml"])),
        (MATURIN, ["rust/Cargo.toml"], "", ("rust", ["rust/Cargo.toml"])),
        (MATURIN, ["Cargo.toml", "rust/Cargo.toml"], "", (".", ["Cargo.toml"])),
        (MATURIN, ["core/Cargo.toml"], '[tool.maturin]\nmanifest-path = "core/Cargo.toml"', (".", ["core/Cargo.toml"])),
        (MATURIN, ["Cargo.toml"], '[tool.maturin]\nmanifest-path = "../Cargo.toml"', None),
        (MATURIN, ["Cargo.toml"], "[tool]\nmaturin = 1", (".", ["Cargo.toml"])),
        (MATURIN, ["Cargo.toml"], "broken", (".", ["Cargo.toml"])),
        (MATURIN, [], "", None),
        (EXTENSIONS, ["Cargo.toml"], "", (".", ["Cargo.toml"])),
        (
            EXTENSIONS,
            ["a/Cargo.toml", "b/Cargo.toml"],
            TWO,
            (".", ["a/Cargo.toml", "b/Cargo.toml"]),
        ),
        (EXTENSIONS, ["Cargo.toml"], "[tool.setuptools-rust]\next-modules = 1", (".", ["Cargo.toml"])),
        (BuildSystem(), ["Cargo.toml"], "", None),
    ],
)
def test_manifests_are_where_maturin_and_setuptools_rust_look(tmp_path, system, manifests, pyproject, expected):
    (tmp_path / "Cargo.toml").write_text("[package]\n")
    folder = tmp_path / "source"
    folder.mkdir()
    assert found(tree(folder, *manifests, pyproject=pyproject), system) == expected


def test_a_source_that_brings_its_crates_is_left_alone(tmp_path):
    tree(tmp_path, "Cargo.toml", ".cargo/config.toml", "vendor/tiny/Cargo.toml")
    assert rust_source(tmp_path, MATURIN) is not None
    (tmp_path / ".cargo/config.toml").write_text(CONFIG)
    assert rust_source(tmp_path, MATURIN) is None


def test_libraries_for_other_systems_are_emptied_and_not_missed(tmp_path):
    crate = tmp_path / "windows"
    (crate / "lib").mkdir(parents=True)
    (tmp_path / "plain").mkdir()
    (tmp_path / "README").write_text("no crate")
    for name in ("lib/w.lib", "lib/w.a", "lib/w.rs"):
        (crate / name).write_text("content")
    table = {"files": {"lib/w.lib": "1", "lib/w.rs": "2"}, "package": "3"}
    (crate / ".cargo-checksum.json").write_text(json.dumps(table))
    shrink_crates(tmp_path)
    assert [(crate / name).read_text() for name in ("lib/w.lib", "lib/w.a", "lib/w.rs")] == ["", "", "content"]
    assert json.loads((crate / ".cargo-checksum.json").read_text()) == {"files": {"lib/w.rs": "2"}, "package": "3"}


@pytest.mark.parametrize("before", ["", '[build]\njobs = 2\n\n[source.mine]\nregistry = "r"\n'])
def test_cargo_is_told_and_keeps_what_it_was_told_before(tmp_path, before):
    if before:
        (tmp_path / ".cargo").mkdir()
        (tmp_path / ".cargo/config.toml").write_text(before)
    use_vendored(tmp_path)
    config = tomllib.loads((tmp_path / ".cargo/config.toml").read_text())
    assert config["source"]["crates-io"] == {"replace-with": "vendored-sources"}
    assert config["source"]["vendored-sources"] == {"directory": "vendor"}
    assert ("build" in config) == ("mine" in config["source"]) == bool(before)
