"""Crates brought into a source from a registry on loopback, and built without any network."""

import asyncio
import hashlib
import json
import shutil
import subprocess
import tarfile

import pytest

from build_equipment import LIMITS, Lines, equip
from local_index import archive
from loopback_index import Answer, loopback_server
from wheelfleet_agent.adapters.build_folder import make_build_folder
from wheelfleet_agent.app.preparing import bare_place, prepare
from wheelfleet_agent.core.sandbox_plan import Level
from wheelfleet_shared.core.recipe import PatchFile, PreparationRecipe
from wheelfleet_shared.errors import SourceError
from wheelfleet_shared.names import NodeKey

NODE = NodeKey("rusty", "1.0")
CRATE = {
    "Cargo.toml": '[package]\nname = "tiny-crate"\nversion = "1.2.0"\nedition = "2021"\n',
    "src/lib.rs": "pub fn answer() -> i32 { 42 }\n",
    "win/tiny.lib": "compiled for another system",
}
SOURCE = {
    "pyproject.toml": '[build-system]\nrequires = ["maturin"]\nbuild-backend = "maturin"\n',
    "PKG-INFO": "Metadata-Version: 2.1\nName: rusty\nVersion: 1.0\n",
    "Cargo.toml": '[package]\nname = "rusty"\nversion = "1.0.0"\nedition = "2021"\n[dependencies]\ntiny-crate = "1"\n',
    "src/lib.rs": "pub fn twice() -> i32 { 2 * tiny_crate::answer() }\n",
    # What a source says to cargo must not run while it is prepared.
    ".cargo/config.toml": '[build]\nrustc = "/nowhere/evil"\n',
}
needs_cargo = pytest.mark.skipif(shutil.which("cargo") is None, reason="NOT TESTED: there is no cargo on this machine")


@pytest.fixture(scope="module", params=list(Level))
def equipment(request, tmp_path_factory):
    return equip(tmp_path_factory.mktemp("agent"), request.param)


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """A sparse registry with one crate, which the agent's own cargo is configured for."""
    crate = archive({f"tiny-crate-1.2.0/{path}": text.encode() for path, text in CRATE.items()})
    entry = {"name": "tiny-crate", "vers": "1.2.0", "deps": [], "features": {}, "yanked": False}
    entry["cksum"] = hashlib.sha256(crate).hexdigest()
    with loopback_server() as server:
        server.answers["/index/config.json"] = [Answer(200, json.dumps({"dl": f"{server.url}/dl"}).encode())]
        server.answers["/index/ti/ny/tiny-crate"] = [Answer(200, json.dumps(entry).encode() + b"\n")]
        server.answers["/dl/tiny-crate/1.2.0/download"] = [Answer(200, crate)]
        configure(tmp_path / "cargo", monkeypatch, f"sparse+{server.url}/index/")
        yield server


def configure(home, monkeypatch, url):
    home.mkdir()
    text = f'[source.crates-io]\nreplace-with = "near"\n\n[source.near]\nregistry = "{url}"\n\n[build]\njobs = 1\n'
    (home / "config.toml").write_text(text)
    monkeypatch.setenv("CARGO_HOME", str(home))


def prepared(folder, equipment, source, recipe=PreparationRecipe()):
    upstream = folder / "rusty-1.0.tar.gz"
    upstream.write_bytes(archive({f"rusty-1.0/{path}": text.encode() for path, text in source.items()}))
    place = bare_place(make_build_folder(folder / "attempt"), equipment, LIMITS, 1)
    return asyncio.run(prepare(upstream, NODE, recipe, place, Lines()))


@needs_cargo
def test_crates_are_in_the_sdist_and_it_builds_without_a_network(tmp_path, equipment, registry):
    made = prepared(tmp_path, equipment, SOURCE)
    with tarfile.open(made.sdist) as sdist:
        members = {member.name.removeprefix("rusty-1.0/"): member for member in sdist}
        assert sdist.extractfile(members["vendor/tiny-crate/win/tiny.lib"]).read() == b""
        sdist.extractall(tmp_path / "unpacked", filter="data")
    assert {".cargo/config.toml", "Cargo.lock", "vendor/tiny-crate/src/lib.rs"} <= set(made.touched)
    assert made.sha256 == hashlib.sha256(made.sdist.read_bytes()).hexdigest()
    tree = tmp_path / "unpacked" / "rusty-1.0"
    config = tree / ".cargo" / "config.toml"
    config.write_text(config.read_text().replace('rustc = "/nowhere/evil"', ""))
    environment = {"PATH": "/usr/bin:/bin", "CARGO_HOME": str(tmp_path / "empty"), "CARGO_NET_OFFLINE": "true"}
    cargo = equipment.toolchain.folder / "cargo"
    environment["PATH"] = f"{equipment.toolchain.folder}:{environment['PATH']}"
    subprocess.run([cargo, "check", "--offline", "--locked"], cwd=tree, env=environment, check=True)


@needs_cargo
def test_the_same_crates_give_the_same_sdist(tmp_path, registry):
    digests = set()
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        digests.add(prepared(folder, equip(folder / "agent", Level.NONE), SOURCE).sha256)
    assert len(digests) == 1


@needs_cargo
def test_a_registry_that_cannot_be_reached_is_said_with_the_ways_out(tmp_path, equipment, monkeypatch):
    configure(tmp_path / "cargo", monkeypatch, "sparse+http://127.0.0.1:9/index/")
    with pytest.raises(SourceError, match=r"^crates cannot be vendored: ") as raised:
        prepared(tmp_path, equipment, SOURCE)
    assert raised.value.next_step == "vendor them in a patch, or mark it pre_built"


def test_an_agent_without_cargo_says_so(tmp_path, equipment):
    toolchain = equipment.toolchain
    bare = tmp_path / "toolchain"
    bare.mkdir()
    without = equipment._replace(toolchain=toolchain._replace(folder=bare))
    with pytest.raises(SourceError, match="there is no cargo on this agent"):
        prepared(tmp_path, without, SOURCE)


def test_crates_that_a_patch_brings_need_no_registry(tmp_path, equipment):
    lines = ["[source.crates-io]", 'replace-with = "vendored-sources"']
    source = {key: text for key, text in SOURCE.items() if not key.startswith(".cargo")}
    patch = "--- /dev/null\n+++ b/.cargo/config.toml\n@@ -0,0 +1,2 @@\n" + "".join(f"+{line}\n" for line in lines)
    patch += "--- /dev/null\n+++ b/vendor/tiny-crate/src/lib.rs\n@@ -0,0 +1 @@\n+pub fn answer() {}\n"
    made = prepared(tmp_path, equipment, source, PreparationRecipe((PatchFile("1.patch", patch.encode()),)))
    assert {".cargo/config.toml", "vendor/tiny-crate/src/lib.rs"} < set(made.touched)
    assert "Cargo.lock" not in made.touched, "cargo was not asked"


def test_other_sources_ask_nobody(tmp_path, equipment, registry):
    plain = {**SOURCE, "pyproject.toml": '[build-system]\nrequires = ["setuptools"]\n'}
    assert prepared(tmp_path, equipment, plain).touched == ()
    assert registry.paths() == []
