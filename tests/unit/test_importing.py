"""A folder of wheels, checked before anything of it is queued."""

import base64
import hashlib
import zipfile
from pathlib import Path

import pytest

from wheelfleet_coordinator.cli.importing import _checked, _one_of_a_version
from wheelfleet_shared.errors import InputError

LISTS = {f"fromager-build-{kind}-requirements.txt": "tool==1.0\n" for kind in ("system", "backend", "sdist")}


def write_wheel(folder: Path, name: str = "leaf-1.0-0-py3-none-any.whl", *, lists=LISTS, lies: bool = False) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    info = "-".join(name.split("-")[:2]) + ".dist-info"
    tag = "-".join(name.removesuffix(".whl").split("-")[-3:])
    build = "Build: 0\n" if name.count("-") == 5 else ""
    members = {
        "leaf.py": "x = 1\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: leaf\nVersion: 1.0\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\n{build}Tag: {tag}\n",
        **{f"{info}/{file}": text for file, text in lists.items()},
    }
    record = [f"{member},{_digest(text)},{len(text)}" for member, text in members.items()]
    with zipfile.ZipFile(folder / name, "w") as archive:
        for member, text in members.items():
            archive.writestr(member, text.replace("1", "2") if lies and member == "leaf.py" else text)
        archive.writestr(f"{info}/RECORD", "\n".join([*record, f"{info}/RECORD,,", ""]))
    return folder / name


def _digest(text: str) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def test_wheels_of_a_wheels_repo_are_read_with_what_they_tell(tmp_path: Path):
    write_wheel(tmp_path / "downloads")
    write_wheel(tmp_path / "prebuilt", lists={})
    (wheel,) = _checked(tmp_path)
    assert str(wheel.node) == "leaf==1.0"
    assert wheel.contents.lists["system"] == ("tool==1.0",)


def test_any_folder_will_do_and_a_wheel_need_not_tell_how_it_was_built(tmp_path: Path):
    write_wheel(tmp_path, "leaf-1.0-py3-none-any.whl", lists={})
    assert [wheel.contents.lists for wheel in _checked(tmp_path)] == [None]


def test_every_wheel_that_is_none_is_named(tmp_path: Path):
    write_wheel(tmp_path, lies=True)
    write_wheel(tmp_path, "other-1.0-py3-none-any.whl")
    (tmp_path / "no.whl").write_bytes(b"")
    (tmp_path / "bad-1.0-py3-none-any.whl").write_bytes(b"no zip")
    with pytest.raises(InputError) as caught:
        _checked(tmp_path)
    text = str(caught.value)
    assert "leaf.py is not what RECORD says" in text
    assert all(name in text for name in ("other-1.0", "no.whl", "bad-1.0", "nothing was imported"))


def test_a_folder_without_wheels_is_told(tmp_path: Path):
    with pytest.raises(InputError, match="no wheels"):
        _checked(tmp_path)


def test_wheels_of_one_version_go_into_runs_of_their_own(tmp_path: Path):
    write_wheel(tmp_path, "leaf-1.0-0-py3-none-any.whl")
    write_wheel(tmp_path, "leaf-1.0-0-cp311-none-any.whl")
    assert [len(part) for part in _one_of_a_version(_checked(tmp_path))] == [1, 1]
