"""Compiled members of wheels: what they need and offer, and which do not fit a target. The libraries are real."""

import struct
import subprocess
import sys
import zipfile
from io import BytesIO

import pytest
from elfdeps import SOInfo
from elftools.elf.elffile import ELFFile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from packaging.tags import parse_tag

from event_samples import BY_KIND
from wheelfleet_agent.core.elf_members import ElfKind, ElfMember, elf_members
from wheelfleet_agent.core.elf_rules import PROVIDES, REQUIRES, check_elf, elf_lists
from wheelfleet_shared.core import events as e
from wheelfleet_shared.errors import PolicyError

NATIVE = parse_tag("cp311-cp311-linux_x86_64")
PURE = parse_tag("py3-none-any")
X86 = ElfKind("EM_X86_64", 64, True)
TARGET = replace(BY_KIND[e.TargetDefined].definition, machine="x86_64", libc="glibc", libc_floor="2.34")  # type: ignore[attr-defined]
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="agents run on Linux")


def compile_library(folder, name, *options, code="int answer(void) { return 42; }", soname=""):
    source = folder / f"{name}.c"
    source.write_text(code)
    given = [f"-Wl,-soname,{soname}"] if soname else []
    path = folder / name
    subprocess.run(["cc", "-shared", "-fPIC", "-o", path, source, *given, *options], check=True)
    return path.read_bytes()


def wheel(tmp_path, members, executable=()):
    path = tmp_path / "tiny-1.0-cp311-cp311-linux_x86_64.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.mkdir("tiny")
        for name, data in members.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (0o100755 if name in executable else 0o100644) << 16
            archive.writestr(info, data)
    return path


@pytest.fixture(scope="module")
def libraries(tmp_path_factory):
    folder = tmp_path_factory.mktemp("libraries")
    inner = compile_library(folder, "libinner.so.1", soname="libinner.so.1")
    code = "#include <math.h>\nextern int answer(void);\ndouble f(double x) { return pow(x, answer()); }"
    options = ("-L", str(folder), "-l:libinner.so.1", "-lm", "-Wl,--no-as-needed", "-lc")
    outer = compile_library(folder, "_speed.cpython-311-x86_64-linux-gnu.so", *options, code=code)
    return {"tiny/_speed.cpython-311-x86_64-linux-gnu.so": outer, "tiny.libs/libinner.so.1": inner}


def test_lists_of_a_real_extension_and_its_library(libraries, tmp_path):
    members = elf_members(wheel(tmp_path, {**libraries, "tiny/__init__.py": b"", "tiny/libnot.so": b"INPUT(-lm)"}))
    assert [member.name for member in members] == sorted(libraries)
    lists = {name: data.decode().splitlines() for name, data in elf_lists(members).items()}
    assert lists[PROVIDES] == ["libinner.so.1()(64bit)"]
    assert "libm.so.6()(64bit)" in lists[REQUIRES]
    assert any(line.startswith("libm.so.6(GLIBC_2.") for line in lists[REQUIRES])
    assert not any("libinner" in line or "_speed" in line for line in lists[REQUIRES])
    assert lists[REQUIRES] == sorted(lists[REQUIRES])


def test_the_lists_are_those_of_elfdeps_on_the_unpacked_wheel(libraries, tmp_path):
    """As fromager has them: a folder, names filtered, what the wheel provides left out."""
    from elfdeps import ELFAnalyzeSettings, analyze_dirtree

    with zipfile.ZipFile(wheel(tmp_path, libraries)) as archive:
        archive.extractall(tmp_path / "unpacked")
    found = list(analyze_dirtree(tmp_path / "unpacked", settings=ELFAnalyzeSettings(filter_soname=True)))
    provides = {one for info in found for one in info.provides}
    requires = {one for info in found for one in info.requires} - provides
    ours = elf_lists(elf_members(wheel(tmp_path, libraries)))
    assert ours == {
        REQUIRES: "".join(f"{one}\n" for one in sorted(requires)).encode(),
        PROVIDES: "".join(f"{one}\n" for one in sorted(provides)).encode(),
    }


def test_programs_count_and_scripts_do_not(libraries, tmp_path):
    program = tmp_path / "program"
    (tmp_path / "main.c").write_text("int main(void) { return 0; }")
    subprocess.run(["cc", "-o", program, tmp_path / "main.c"], check=True)
    script, data = "tiny-1.0.data/scripts/run", program.read_bytes()
    found = elf_members(
        wheel(tmp_path, {"tiny/bin/run": data, script: b"#!python\n", "tiny/data.bin": data}, {"tiny/bin/run", script})
    )
    assert [member.name for member in found] == ["tiny/bin/run"]
    assert set(elf_lists(found)) == {REQUIRES}


def test_broken_files_and_objects_are_no_members(tmp_path):
    broken = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\xff" * 200
    (tmp_path / "a.c").write_text("int a;")
    subprocess.run(["cc", "-c", "-o", tmp_path / "object.so", tmp_path / "a.c"], check=True)
    given = {"a.so": broken, "b.so": b"\x7fELF", "c.so": (tmp_path / "object.so").read_bytes()}
    members = elf_members(wheel(tmp_path, given))
    assert members == ()
    assert elf_lists(members) == {}


def foreign(data, machine):
    """The library with another machine's number in its header."""
    header = bytearray(data)
    struct.pack_into("<H", header, 18, machine)
    return bytes(header)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(min_value=0, max_value=1 << 20), st.binary(min_size=1, max_size=8)), max_size=20),
    st.integers(min_value=0),
)
def test_no_file_confuses_the_reader(libraries, tmp_path, edits, cut):
    """A wheel's content is not to be trusted: what cannot be read is no member."""
    data = bytearray(libraries["tiny/_speed.cpython-311-x86_64-linux-gnu.so"])
    for place, replacement in edits:
        start = place % len(data)
        data[start : start + len(replacement)] = replacement
    elf_lists(elf_members(wheel(tmp_path, {"a.so": bytes(data[: cut % len(data) or None])})))


def test_a_chain_of_versions_without_end_is_given_up(libraries, tmp_path, monkeypatch):
    monkeypatch.setattr("wheelfleet_agent.core.elf_members._READS", 5_000)
    data = bytearray(libraries["tiny/_speed.cpython-311-x86_64-linux-gnu.so"])
    section = next(one for one in ELFFile(BytesIO(data)).iter_sections() if one["sh_type"] == "SHT_GNU_verneed")
    header = ELFFile(BytesIO(data))["e_shoff"]
    number = [one.name for one in ELFFile(BytesIO(data)).iter_sections()].index(section.name)
    struct.pack_into("<I", data, header + 64 * number + 44, 0xFFFFFFFF)  # sh_info: how many there are
    struct.pack_into("<I", data, section["sh_offset"] + 12, 0)  # vn_next: the same again
    assert elf_members(wheel(tmp_path, {"a.so": bytes(data)})) == ()


def test_a_library_of_another_machine_is_named(libraries, tmp_path):
    inner = libraries["tiny.libs/libinner.so.1"]
    members = elf_members(wheel(tmp_path, {**libraries, "tiny.libs/libarm.so": foreign(inner, 183)}))
    with pytest.raises(PolicyError, match=r"^tiny.libs/libarm.so is compiled for aarch64, not for x86_64\n") as raised:
        check_elf(members, NATIVE, replace(TARGET, libc_floor="99"))
    assert "remove the compiled file with a patch" in raised.value.next_step
    with pytest.raises(PolicyError, match=r"^tiny.libs/libinner.so.1 is .*, not for aarch64; tiny/_speed.*"):
        check_elf(elf_members(wheel(tmp_path, libraries)), NATIVE, replace(TARGET, machine="aarch64"))


@pytest.mark.rule("target-7")
def test_the_real_library_fits_its_own_host(libraries, tmp_path):
    members = elf_members(wheel(tmp_path, libraries))
    check_elf(members, NATIVE, replace(TARGET, libc_floor="99"))
    with pytest.raises(
        PolicyError, match=r"needs glibc 2\.\d+ \(libm\.so\.6\(GLIBC_2\.\d+\)\(64bit\).*promises 2\.1 only"
    ):
        check_elf(members, NATIVE, replace(TARGET, libc_floor="2.1"))


def member(*versions, kind=X86):
    return ElfMember("a.so", kind, tuple(SOInfo("libc.so.6", version, "(64bit)") for version in versions), ())


@pytest.mark.rule("target-7")
@pytest.mark.parametrize(
    ("found", "target", "why"),
    [
        (member("", "GLIBC_2.34", "GLIBC_2.4", "GLIBC_PRIVATE"), {}, None),
        (member("GLIBC_2.35", "GLIBC_2.4"), {}, r"needs glibc 2.35 .*GLIBC_2.35"),
        (member("GLIBC_ABI_DT_RELR"), {}, r"needs glibc 2.36 .*DT_RELR"),
        (member("GLIBC_2.4"), {"libc": "musl", "libc_floor": "1.2"}, "needs glibc, but .* has musl"),
        (member(""), {"libc": "musl", "libc_floor": "1.2"}, None),
        (member(kind=ElfKind("EM_386", 32, True)), {}, "compiled for i686"),
        (member(kind=ElfKind("EM_X86_64", 32, True)), {}, r"compiled for X86_64 \(32-bit, little-endian\)"),
        (member(kind=ElfKind("EM_PPC64", 64, False)), {"machine": "ppc64le"}, "compiled for ppc64, not for ppc64le"),
        (member(kind=ElfKind("EM_MIPS", 64, False)), {}, r"compiled for MIPS \(64-bit, big-endian\)"),
        (member(kind=ElfKind("EM_68K", 32, False)), {"machine": "m68k"}, None),
    ],
)
def test_what_runs_on_a_target(found, target, why):
    definition = replace(TARGET, **target)
    check_elf([found], PURE, definition)
    if why is None:
        check_elf([found], NATIVE, definition)
        return
    with pytest.raises(PolicyError, match=why):
        check_elf([found], NATIVE, definition)
