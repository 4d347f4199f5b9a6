"""Overrides read from their folders."""

from pathlib import Path

import pytest

from wheelfleet_coordinator.adapters.customisation_files import Overrides, read_customisation
from wheelfleet_shared.errors import InputError


def put(root: Path, name: str, text: str = "") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_files_have_their_normal_names_whatever_the_folders_are_called(tmp_path):
    put(tmp_path, "my.yaml", "changelog: {}")
    put(tmp_path, "s/six.yaml", "env: {}")
    put(tmp_path, "p/six-1.0/cpu/1.patch", "x")
    for hidden in ("p/.git/config", "s/.six.yaml.swp", "p/__pycache__/a.pyc"):
        put(tmp_path, hidden)
    found = read_customisation(Overrides(tmp_path / "my.yaml", tmp_path / "s", tmp_path / "p"), "rocm")
    assert found.variant == "rocm"
    assert set(found.files) == {"settings.yaml", "settings/six.yaml", "patches/six-1.0/cpu/1.patch"}


def test_the_usual_places_may_be_missing_but_not_those_that_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read_customisation(Overrides(), "cpu").files == {}
    put(tmp_path, "overrides/settings/six.yaml", "env: {}")
    assert set(read_customisation(Overrides(), "cpu").files) == {"settings/six.yaml"}
    for wrong in (
        Overrides(tmp_path / "no.yaml"),
        Overrides(None, tmp_path / "no"),
        Overrides(None, None, tmp_path / "no"),
    ):
        with pytest.raises(InputError, match="there is no such"):
            read_customisation(wrong, "cpu")


def test_a_folder_of_large_files_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("wheelfleet_coordinator.adapters.customisation_files.LARGEST", 10)
    put(tmp_path, "p/a/1.patch", "x" * 11)
    with pytest.raises(InputError, match="hold 11 bytes"):
        read_customisation(Overrides(patches_dir=tmp_path / "p"), "cpu")
