"""Whole attempts on this host, from an sdist to the file that would be uploaded."""

import asyncio
import hashlib
import json
import zipfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from build_equipment import INTERPRETER, Lines, equip
from local_index import EPOCH, TREES, pack
from wheelfleet_agent.adapters.environment import Uv, find_uv
from wheelfleet_agent.adapters.probe_host import probe_interpreter, probe_machine
from wheelfleet_agent.adapters.sandbox_probe import SandboxReport
from wheelfleet_agent.adapters.transfer import Transfer
from wheelfleet_agent.app.builder import HostBuilder
from wheelfleet_agent.app.daemon import _equipment as equipment_of
from wheelfleet_agent.app.daemon import cores_per_build
from wheelfleet_agent.app.host import Host, Interpreter
from wheelfleet_agent.core.interpreters import define_target
from wheelfleet_agent.core.sandbox_plan import Level
from wheelfleet_shared.adapters.clock import SystemClock
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.build import plan_build
from wheelfleet_shared.core.configuration import AgentConfig
from wheelfleet_shared.core.messages import Download, Work
from wheelfleet_shared.core.recipe import BuildRecipe, Needs, SbomPart, SbomRecipe, encode_recipe, recipe_digest
from wheelfleet_shared.names import IndexName, NodeKey, Sha256

CALLED = "hook called: {} of counted-backend"
WITHOUT_HEADER = """
_build_wheel = build_wheel

def build_wheel(*arguments, **named):
    print("ext/_yaml.c:3:10: fatal error: yaml.h: No such file or directory", flush=True)
    return _build_wheel(*arguments, **named)
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    folder = tmp_path_factory.mktemp("host")
    equipment = equip(folder, Level.NONE)
    definition = define_target(asyncio.run(probe_interpreter(INTERPRETER)))
    interpreters = {definition.id: Interpreter(INTERPRETER, definition, equipment)}
    report = SandboxReport(equipment.sandbox)
    uv = Uv(find_uv(), folder / "uv-cache", "copy")
    return Host(folder, probe_machine(folder), report, equipment.toolchain, uv, interpreters)


class Kept:
    """An attempt's store: a cache that holds the sdist already, and a folder for what is uploaded."""

    def __init__(self, folder: Path, appended: str = "") -> None:
        code = (TREES / "counted-backend" / "counted_backend.py").read_text() + appended
        name, data = pack(TREES / "counted-backend", {"counted_backend.py": code})
        self.cache, self.uploads, self.log = folder / "cache", folder / "uploads", Lines()
        self.sdist = e.FileRef(name, Sha256(hashlib.sha256(data).hexdigest()), len(data))
        place = self.cache / self.sdist.sha256[:2] / self.sdist.sha256 / name
        place.parent.mkdir(parents=True)
        place.write_bytes(data)
        self.uploads.mkdir()

    async def upload(self, path: Path, file: e.FileRef, kind: str) -> None:
        (self.uploads / file.file_name).write_bytes(path.read_bytes())

    def work(self, host: Host, expectation: e.Expectation) -> Work:
        target = next(iter(host.interpreters))
        node = NodeKey("counted-backend", "1.0")
        build, plan = plan_build(
            "wheel",
            IndexName(),
            node,
            target=target,
            host=target,
            source=self.sdist,
            source_url="",
            expectation=expectation,
        )
        return Work(build, 1, plan, target, Download(self.sdist, ""), epoch=EPOCH)

    def attempt(self, host: Host, work: Work, cores: int = 1):
        async def carry_out():
            transfer = Transfer(self.cache)
            builder = HostBuilder(host, transfer, cores, SystemClock())
            try:
                return await builder.carry_out(work, lambda phase: None, self.log, self.upload)
            finally:
                await transfer.close()

        return asyncio.run(carry_out())

    def calls(self) -> Counter[str]:
        return Counter(line for line in self.log.text.splitlines() if line.startswith("hook called:"))


@pytest.mark.rule("epoch-11", "hook-1", "hook-10", "wheel-6")
def test_a_wheel_tells_how_it_was_built(tmp_path, host):
    kept = Kept(tmp_path)
    built = kept.attempt(host, kept.work(host, "pure"))
    assert isinstance(built, e.WheelBuilt), built
    assert (built.toolchain, built.sandbox, built.requirements) == (host.toolchain.digest, "none", ())
    assert kept.calls() == {CALLED.format(hook): 1 for hook in ("get_requires_for_build_wheel", "build_wheel")}
    assert built.wheel.file_name == "counted_backend-1.0-0-py3-none-any.whl"
    with zipfile.ZipFile(kept.uploads / built.wheel.file_name) as wheel:
        times = {datetime(*info.date_time, tzinfo=UTC).timestamp() for info in wheel.infolist()}
    assert times == {EPOCH}
    used = built.resources
    assert used.hooks == 2
    assert used.cpu > 0
    assert used.memory > 5 * 2**20, "a Python is larger"


@pytest.mark.rule("hook-5")
def test_what_a_hook_answered_before_is_not_asked_for_again(tmp_path, host):
    kept = Kept(tmp_path)
    work = msgspec.structs.replace(kept.work(host, "open"), requirements=("leaf",), static=False)
    built = kept.attempt(host, work)
    assert isinstance(built, e.WheelBuilt), built
    assert built.requirements == ("leaf",)
    assert kept.calls() == {CALLED.format("build_wheel"): 1}


@pytest.mark.rule("pure-4")
def test_a_pure_wheel_where_a_native_one_was_expected_is_refused_with_what_the_log_tells(tmp_path, host):
    kept = Kept(tmp_path, WITHOUT_HEADER)
    failed = kept.attempt(host, kept.work(host, "native"))
    assert isinstance(failed, e.BuildFailed), failed
    assert failed.failure.kind == "policy"
    assert "yaml.h: No such file" in failed.failure.line
    assert "yaml.h" in failed.failure.hint
    assert list(kept.uploads.iterdir()) == []


@pytest.mark.parametrize(("said", "cores"), [(0, 2), (3, 3)])
@pytest.mark.rule("daily-3")
def test_a_build_has_the_cores_that_the_run_says_else_its_share(tmp_path, host, said, cores):
    assert (cores_per_build(4, 2), cores_per_build(1, 4)) == (2, 1)
    kept = Kept(tmp_path, '\nprint("cores", os.environ["MAX_JOBS"], flush=True)\n')
    work = msgspec.structs.replace(kept.work(host, "open"), cores=said, requirements=())
    plan = msgspec.structs.replace(work.plan, needs=Needs(memory_per_job=1))  # however little is free here
    kept.attempt(host, msgspec.structs.replace(work, plan=plan), cores_per_build(4, 2))
    assert f"cores {cores}" in kept.log.text.splitlines()


@pytest.mark.rule("hook-10")
def test_an_agent_that_joins_tells_its_toolchain(host):
    config = AgentConfig("credential", str(host.folder), 2, (str(INTERPRETER),))
    joined = equipment_of(config, host).joined
    assert (joined.toolchain, joined.slots) == (host.toolchain.digest, 2)
    assert joined.targets == tuple(host.interpreters)


@pytest.mark.rule("pure-3")
def test_the_same_wheel_passes_where_nothing_native_was_expected(tmp_path, host):
    kept = Kept(tmp_path, WITHOUT_HEADER)
    assert isinstance(kept.attempt(host, kept.work(host, "open")), e.WheelBuilt)


FOREIGN = """
def build_wheel(folder, *arguments, **named):
    library = Path("answer.c")
    library.write_text("int answer(void) { return 42; }")
    name, data = _compiled(library)
    if "SHIPS_ANOTHER" in os.environ:
        data = data[:18] + bytes([243, 0]) + data[20:]  # the number of RISC-V in its header
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    return _write_wheel(Path(folder), {f"libs/{name}": data}, f"py3-none-{platform}", pure=False)
"""


def with_recipe(kept, work, recipe):
    """The work as a coordinator would give it, its recipe being at hand."""
    data = encode_recipe(recipe)
    file = e.FileRef("recipe.json", recipe_digest(data), len(data))
    place = kept.cache / file.sha256[:2] / file.sha256 / file.file_name
    place.parent.mkdir(parents=True)
    place.write_bytes(data)
    return msgspec.structs.replace(work, recipe=Download(file, ""))


def test_a_library_for_another_machine_fails_the_build(tmp_path, host):
    kept = Kept(tmp_path, FOREIGN)
    work = with_recipe(kept, kept.work(host, "open"), BuildRecipe((("SHIPS_ANOTHER", "1"),)))
    failed = kept.attempt(host, work)
    assert isinstance(failed, e.BuildFailed), failed
    assert failed.failure.kind == "policy"
    machine = next(iter(host.interpreters.values())).definition.machine
    assert failed.failure.line == f"libs/answer.so is compiled for riscv64, not for {machine}"
    assert list(kept.uploads.iterdir()) == []


def test_a_native_wheel_tells_what_it_needs_and_an_spdx_document_where_it_comes_from(tmp_path, host):
    kept = Kept(tmp_path, FOREIGN)
    part = SbomPart("counted-backend", "1.0", "pkg:pypi/counted-backend@1.0")
    recipe = BuildRecipe(sbom=SbomRecipe("https://example.com/1.spdx.json", part, part))
    built = kept.attempt(host, with_recipe(kept, kept.work(host, "open"), recipe))
    assert isinstance(built, e.WheelBuilt), built
    with zipfile.ZipFile(kept.uploads / built.wheel.file_name) as wheel:
        info = "counted_backend-1.0.dist-info"
        document = json.loads(wheel.read(f"{info}/sboms/fromager.spdx.json"))
        assert f"{info}/sboms/fromager.spdx.json" in wheel.read(f"{info}/RECORD").decode()
        assert f"{info}/fromager-elf-provides.txt" not in wheel.namelist()
    assert document["packages"][1]["checksums"][0]["checksumValue"] == kept.sdist.sha256
    assert document["creationInfo"]["created"] == datetime.fromtimestamp(EPOCH, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
