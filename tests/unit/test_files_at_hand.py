"""What an earlier run left in the output folder, told to the embedded cluster alone."""

from pathlib import Path

import pytest

from wheelfleet_coordinator.cli.bootstrapping import with_files_at_hand
from wheelfleet_coordinator.cli.inputs import Checked
from wheelfleet_coordinator.cli.places import Places
from wheelfleet_coordinator.cli.settings import Settings
from wheelfleet_shared.core import events as e

CACHE = "https://wheels.example/simple/"


@pytest.fixture
def checked(tmp_path: Path) -> Checked:
    places = Places(tmp_path / "sdists-repo", tmp_path / "wheels-repo", tmp_path / "work-dir")
    blank = dict.fromkeys(Checked._fields)
    options = e.RunOptions(cache_servers=(CACHE,))
    return Checked(**{**blank, "options": options, "places": places})  # type: ignore[arg-type]


def test_nothing_is_at_hand_in_an_empty_folder(checked: Checked):
    assert with_files_at_hand(checked, Settings()) == checked


def test_wheels_come_before_other_caches_and_sdists_are_named(checked: Checked):
    (checked.places.wheels / "simple").mkdir(parents=True)
    (checked.places.sdists / "downloads").mkdir(parents=True)
    options = with_files_at_hand(checked, Settings()).options
    assert options.cache_servers == ((checked.places.wheels / "simple").as_uri(), CACHE)
    assert options.source_folders == ((checked.places.sdists / "downloads").as_uri(),)


def test_another_cluster_cannot_read_them(checked: Checked, tmp_path: Path):
    (checked.places.sdists / "downloads").mkdir(parents=True)
    assert with_files_at_hand(checked, Settings(config=tmp_path / "credential.json")) == checked
