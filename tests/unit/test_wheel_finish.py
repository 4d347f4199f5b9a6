"""Finishing a wheel that a backend built, up to its installation."""

import hashlib
import stat
import subprocess
import sys
import tomllib
import zipfile

import pytest

from wheelfleet_agent.core.build_record import build_record
from wheelfleet_agent.core.wheel_file import payload_digest
from wheelfleet_agent.core.wheel_finish import finish_wheel, finished_name
from wheelfleet_shared.core.wheel_record import RecordEntry, read_record, record_digest, write_record
from wheelfleet_shared.errors import BackendError, PolicyError
from wheelfleet_shared.names import NodeKey

EPOCH = 1_577_836_800
INFO = "Tiny_Dist-1.0.dist-info"
WANTED = NodeKey("tiny-dist", "1.0")
FILES = {
    "tiny.py": b"print('hello from tiny')\n" * 20,
    "Tiny_Dist-1.0.data/scripts/tiny": b"#!python\nimport tiny\n",
    f"{INFO}/METADATA": b"Metadata-Version: 2.1\nName: Tiny.Dist\nVersion: 1.0\nLicense-File: x\n",
    f"{INFO}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n\n",
    f"{INFO}/RECORD.jws": b"{}",
}
ADDED = build_record({"env": {"A": "1"}, "none": None, "list": [1, {"b": None}]}, ["b", "a>=1"], [], ["c"])


def build(path, files=FILES, order=sorted, *, lie="", level=9, year=2024):
    """A wheel as a backend writes it, by hand; ``lie`` names a member whose digest is wrong."""
    path.parent.mkdir(exist_ok=True)
    digests = {name: hashlib.sha256(data + (b"!" if name == lie else b"")).digest() for name, data in files.items()}
    entries = [RecordEntry(name, record_digest(digests[name]), None) for name in files if "RECORD" not in name]
    record = write_record([*entries, RecordEntry(f"{INFO}/RECORD", "", None)])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        archive.mkdir(INFO)
        for name in order({**files, f"{INFO}/RECORD": record}):
            info = zipfile.ZipInfo(name, (year, 1, 1, 0, 0, 0))
            info.external_attr = (0o100775 if "scripts" in name else 0o100600) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, {**files, f"{INFO}/RECORD": record}[name], compresslevel=level)
    return path


@pytest.fixture
def out(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


@pytest.fixture
def built(tmp_path):
    return build(tmp_path / "built" / "Tiny_Dist-1.0-py3-none-any.whl")


def test_a_finished_wheel_is_installed_by_pip(built, out, tmp_path):
    finished = finish_wheel(built, WANTED, (), ADDED, EPOCH, out)
    target = tmp_path / "target"
    command = [sys.executable, "-m", "pip", "--isolated", "install", "--no-index", "--no-deps", "--no-compile"]
    subprocess.run([*command, "--target", str(target), str(finished.path)], check=True, capture_output=True)
    said = subprocess.run([target / "bin" / "tiny"], env={"PYTHONPATH": str(target)}, capture_output=True, check=True)
    assert said.stdout.startswith(b"hello from tiny")
    installed = {path.name: path.read_bytes() for path in (target / INFO).iterdir()}
    assert installed["fromager-build-system-requirements.txt"] == b"a>=1\nb\n"
    assert installed["fromager-build-backend-requirements.txt"] == b""
    assert tomllib.loads(installed["fromager-build-settings"].decode()) == {"env": {"A": "1"}, "list": [1, {}]}


@pytest.mark.rule("epoch-11")
def test_a_finished_wheel_is_what_its_name_and_record_say(built, out):
    finished = finish_wheel(built, WANTED, (3, "abc"), ADDED, EPOCH, out)
    assert finished.path.name == "Tiny_Dist-1.0-3abc-py3-none-any.whl"
    assert (finished.facts.build_tag, finished.facts.name) == ("3abc", "tiny-dist")
    assert finished.sha256 == hashlib.sha256(finished.path.read_bytes()).hexdigest()
    assert finished.payload == payload_digest(finished.path)
    with zipfile.ZipFile(finished.path) as archive:
        infos = {info.filename: info for info in archive.infolist()}
        listed = {entry.name: entry for entry in read_record(archive.read(f"{INFO}/RECORD"))}
        assert archive.read(f"{INFO}/WHEEL").endswith(b"Tag: py3-none-any\nBuild: 3abc\n")
        for name in infos:
            if name != f"{INFO}/RECORD":
                data = archive.read(name)
                assert listed[name].digest == record_digest(hashlib.sha256(data).digest())
                assert listed[name].size == len(data)
    assert listed.keys() == infos.keys()
    assert {info.date_time for info in infos.values()} == {(2020, 1, 1, 0, 0, 0)}
    assert next(reversed(infos)) == f"{INFO}/RECORD"
    assert f"{INFO}/RECORD.jws" not in infos
    modes = {name: info.external_attr >> 16 for name, info in infos.items()}
    assert modes.pop("Tiny_Dist-1.0.data/scripts/tiny") == stat.S_IFREG | 0o755
    assert set(modes.values()) == {stat.S_IFREG | 0o644}


@pytest.mark.rule("epoch-11")
def test_how_the_backend_packed_it_does_not_matter(built, out, tmp_path):
    other = build(tmp_path / "other" / built.name, order=lambda names: sorted(names, reverse=True), level=1, year=1999)
    (tmp_path / "out2").mkdir()
    first = finish_wheel(built, WANTED, (), ADDED, EPOCH, out)
    second = finish_wheel(other, WANTED, (), ADDED, EPOCH, tmp_path / "out2")
    assert first.path.read_bytes() == second.path.read_bytes()


def test_finishing_again_changes_nothing(built, out, tmp_path):
    (tmp_path / "out2").mkdir()
    first = finish_wheel(built, WANTED, (), ADDED, EPOCH, out)
    second = finish_wheel(first.path, WANTED, (), ADDED, EPOCH, tmp_path / "out2")
    assert first.path.read_bytes() == second.path.read_bytes()


@pytest.mark.parametrize("change", ["content", "name", "mode"])
def test_the_payload_tells_wheels_apart(tmp_path, change):
    def wheel(name, member, data, mode):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            info = zipfile.ZipInfo(member)
            info.external_attr = mode << 16
            archive.writestr(info, data)
        return payload_digest(tmp_path / name)

    plain = {"member": "a", "data": b"x", "mode": 0o644}
    other = {**plain, **{"content": {"data": b"y"}, "name": {"member": "b"}, "mode": {"mode": 0o755}}[change]}
    assert wheel("1", **plain) == wheel("2", **plain) != wheel("3", **other)


@pytest.mark.rule("wheel-3")
def test_a_digest_that_lies_is_refused_and_leaves_no_wheel(out, tmp_path):
    lying = build(tmp_path / "lying" / "Tiny_Dist-1.0-py3-none-any.whl", lie="tiny.py")
    with pytest.raises(PolicyError, match=r"digest of 'tiny\.py' is not its content's"):
        finish_wheel(lying, WANTED, (), {}, EPOCH, out)
    assert not list(out.iterdir())


def test_another_wheel_than_wanted_is_refused(built, out):
    with pytest.raises(PolicyError, match="it is not requests==99"):
        finish_wheel(built, NodeKey("requests", "99"), (), {}, EPOCH, out)


@pytest.mark.parametrize("damage", ["cut", "content"])
def test_a_wheel_that_cannot_be_read_is_the_backends_fault(built, out, damage):
    data = bytearray(built.read_bytes())
    if damage == "cut":
        del data[len(data) // 2 :]
    else:
        data[data.index(b"tiny.py") + 12] ^= 0xFF
    built.write_bytes(data)
    with pytest.raises(BackendError, match="cannot be read"):
        finish_wheel(built, WANTED, (), {}, EPOCH, out)
    assert not list(out.iterdir())


@pytest.mark.parametrize(
    ("name", "finished"),
    [
        ("a-1.0-py3-none-any.whl", "a-1.0-0-py3-none-any.whl"),
        ("A.b-1.0+l-7x-py3-none-any.whl", "A.b-1.0+l-0-py3-none-any.whl"),
    ],
)
@pytest.mark.rule("wheel-6")
def test_the_build_tag_goes_into_the_name(name, finished):
    assert finished_name(name, (0, "")) == finished
