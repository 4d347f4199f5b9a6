import asyncio
import os
import shutil
import sys
import sysconfig
from pathlib import Path

import pytest
from packaging.tags import sys_tags

from build_equipment import INTERPRETER, LIMITS, PREFIX
from wheelfleet_agent.adapters.probe_host import probe_interpreter, probe_machine
from wheelfleet_agent.adapters.sandbox import NO_SANDBOX, find_sandbox
from wheelfleet_agent.adapters.sandbox_probe import attack, probe_sandbox
from wheelfleet_agent.adapters.toolchain import make_toolchain
from wheelfleet_agent.core.interpreters import define_target
from wheelfleet_agent.core.sandbox_plan import Confinement, Level
from wheelfleet_shared.core.targets import satisfies, supported_tags
from wheelfleet_shared.errors import InputError


def test_this_interpreter_offers_the_target_it_runs_on():
    facts = asyncio.run(probe_interpreter(INTERPRETER))
    target = define_target(facts)
    assert facts.prefix == PREFIX
    assert facts.byte_order == sys.byteorder
    assert target.tags == tuple(str(tag) for tag in sys_tags())
    assert supported_tags(target) == frozenset(sys_tags())
    assert target.abi == f"cp{sysconfig.get_config_var('py_version_nodot')}"
    assert target.marker_environment["platform_release"] == ""
    assert satisfies(target, target)


@pytest.mark.parametrize("program", ["/bin/true", "/nonexistent"])
def test_what_is_no_python_is_refused(program):
    with pytest.raises(InputError, match=program):
        asyncio.run(probe_interpreter(Path(program)))


def test_the_machine_has_something_to_build_with(tmp_path):
    machine = probe_machine(tmp_path)
    assert 1 <= machine.cpus <= os.cpu_count()
    assert 0 < machine.memory_free <= machine.memory
    assert machine.disk_free > 0


def test_the_probe_believes_bubblewrap_only_after_attacks(tmp_path):
    if find_sandbox(tmp_path).level is Level.NONE:
        pytest.skip("bubblewrap is not installed")
    report = asyncio.run(probe_sandbox(tmp_path, INTERPRETER, PREFIX))
    assert (report.level, report.attacks) == (Level.STANDARD, ()), report
    assert [path.name for path in tmp_path.iterdir()] == ["sandbox-etc"]


def test_the_attacks_do_succeed_where_nothing_stops_them(tmp_path):
    succeeded = asyncio.run(attack(NO_SANDBOX, Confinement((), LIMITS), INTERPRETER, tmp_path))
    of_root = ("change kernel settings",) if os.geteuid() == 0 else ()
    assert succeeded == (*of_root, "network", "read secrets", "see processes", "write outside")


def test_a_bubblewrap_that_does_not_work_is_not_believed(tmp_path, monkeypatch):
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr("wheelfleet_agent.adapters.sandbox._SYSTEM_PATH", str(tmp_path))
    report = asyncio.run(probe_sandbox(tmp_path / "agent", INTERPRETER, PREFIX))
    assert report.level is Level.NONE
    assert "setting up uid map" in report.reason
    assert "user namespaces" in report.next_step


def test_a_bubblewrap_that_shuts_nothing_in_is_not_believed(tmp_path, monkeypatch):
    """It runs the program after ``--`` as it is, which is what a misbuilt sandbox amounts to."""
    sham = tmp_path / "bwrap"
    sham.write_text('#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done; shift; exec "$@"\n')
    sham.chmod(0o755)
    monkeypatch.setattr("wheelfleet_agent.adapters.sandbox._SYSTEM_PATH", str(tmp_path))
    assert asyncio.run(probe_sandbox(tmp_path / "agent", INTERPRETER, PREFIX)).level is Level.NONE


def test_without_bubblewrap_its_name_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr("wheelfleet_agent.adapters.sandbox._SYSTEM_PATH", str(tmp_path))
    report = asyncio.run(probe_sandbox(tmp_path, INTERPRETER, PREFIX))
    assert (report.level, "bubblewrap" in report.next_step) == (Level.NONE, True)


@pytest.mark.rule("hook-9", "hook-11")
def test_the_toolchain_holds_what_builds_need_and_no_more(tmp_path):
    everything = asyncio.run(make_toolchain(tmp_path / "all", "all"))
    compilers = asyncio.run(make_toolchain(tmp_path / "compilers", "compilers"))
    names = {path.name for path in everything.folder.iterdir()}
    assert {"sh", "sed", "grep", "cat", "make"} <= names
    assert names.isdisjoint({"git", "pip", "python3", "uv", "curl"})
    assert all((everything.folder / name).exists() for name in names)
    assert {path.name for path in compilers.folder.iterdir()}.isdisjoint({"cmake", "ninja", "patchelf"})
    gcc = next(tool for tool in everything.tools if tool.name == "gcc")
    assert "gcc" in gcc.version


@pytest.mark.rule("hook-10")
def test_the_digest_of_a_toolchain_is_that_of_names_and_versions(tmp_path, monkeypatch):
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))

    def digest_with(version):
        (programs / "gcc").write_text(f"#!/bin/sh\necho gcc {version}\n")
        (programs / "gcc").chmod(0o755)
        return asyncio.run(make_toolchain(tmp_path / "toolchain", "all")).digest

    first = digest_with("12.2")
    assert digest_with("12.3") != first
    assert digest_with("12.2") == first
    shutil.copy(programs / "gcc", programs / "ninja")
    assert digest_with("12.2") != first


def test_tools_beyond_usr_are_made_visible(tmp_path, monkeypatch):
    tool = tmp_path / "opt" / "bin" / "cmake"
    tool.parent.mkdir(parents=True)
    tool.write_text("#!/bin/sh\necho cmake version 9\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent))
    toolchain = asyncio.run(make_toolchain(tmp_path / "toolchain", "all"))
    assert toolchain.prefixes == (tmp_path / "opt",)


@pytest.mark.parametrize("prefix", [".", ".local", ".cargo"])
def test_of_a_home_builds_see_the_tool_and_nothing_beside_it(tmp_path, monkeypatch, prefix):
    """What ``pip install --user cmake`` makes lies beside the credentials of an embedded cluster."""
    tool = tmp_path / "home" / prefix / "bin" / "cmake"
    tool.parent.mkdir(parents=True)
    tool.write_text("#!/bin/sh\necho cmake version 9\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert asyncio.run(make_toolchain(tmp_path / "toolchain", "all")).prefixes == (tool,)


def test_a_tool_beside_the_agents_folder_shows_nothing_of_it(tmp_path, monkeypatch):
    tool = tmp_path / "bin" / "cmake"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho cmake version 9\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent))
    assert asyncio.run(make_toolchain(tmp_path / "agent" / "toolchain", "all")).prefixes == (tool,)
