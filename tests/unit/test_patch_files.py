import pytest
from packaging.version import Version

from wheelfleet_coordinator.core.patch_files import read_patches
from wheelfleet_shared.errors import InputError


def patches(*paths: str):
    return read_patches({path: path.encode() for path in paths}, "overrides/")


def applied(name: str, version: str, variant: str, *paths: str) -> list[str]:
    return [file.data.decode() for file in patches(*paths).of(name, Version(version), variant)]


def test_patches_of_all_folders_are_sorted_by_base_name():
    given = ("patches/a/3.patch", "patches/a-1.0/1.patch", "patches/a-1.0/cpu/2.patch", "patches/a/cpu/4.patch")
    expected = [given[1], given[2], given[0], given[3]]
    assert applied("a", "1.0", "cpu", *given) == expected
    assert applied("a", "1.0", "cuda", *given) == [given[1], given[0]]
    assert applied("a", "2.0", "cpu", *given) == [given[0], given[3]]
    assert applied("b", "1.0", "cpu", *given) == []


def test_of_equal_base_names_the_general_one_is_first():
    given = ("patches/a-1/x/1.patch", "patches/a-1/1.patch", "patches/a/x/1.patch", "patches/a/1.patch")
    assert applied("a", "1", "x", *given) == list(reversed(given))


@pytest.mark.parametrize(
    ("folder", "version"), [("1.0", "1.0+cu12"), ("1.0.0", "1"), ("1.0-1", "1.0.post1"), ("1!2", "1!2")]
)
def test_versions_are_compared_as_versions_without_their_local_part(folder: str, version: str):
    assert len(applied("a", version, "cpu", f"patches/a-{folder}/1.patch")) == 1


def test_two_spellings_of_one_version_both_count():
    assert len(applied("a", "1.0", "cpu", "patches/a-1.0/1.patch", "patches/a-1.0.0/2.patch")) == 2


def test_names_are_in_the_spelling_of_overrides():
    assert len(applied("zope-interface", "5", "cpu", "patches/zope_interface-5/1.patch")) == 1


def test_a_warning_says_which_versions_have_patches_where_none_fits():
    found = patches("patches/a-2.0/1.patch", "patches/a-1.0/1.patch", "patches/b/1.patch")
    assert found.missed("a", Version("3"), "cpu") == (
        "patch 1.0 exists but will not be applied for version 3",
        "patch 2.0 exists but will not be applied for version 3",
    )
    assert found.missed("a", Version("2"), "cpu") == found.missed("b", Version("2"), "cpu") == ()


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("patches/1.patch", "is never applied: patches lie in"),
        ("patches/a/b/c/1.patch", "is never applied: patches lie in"),
        ("patches/A-1.0/1.patch", "call its folder a-1.0"),
        ("patches/zope.interface/1.patch", "call its folder zope_interface"),
        ("patches/a-/1.patch", "call its folder a"),
        ("patches/a-1.0+cu/1.patch", "local versions use the patches of 1.0"),
    ],
)
def test_patches_that_are_never_applied_are_named(path: str, why: str):
    (warning,) = patches(path).warnings
    assert warning.startswith(f"overrides/{path}")
    assert why in warning


def test_files_of_other_kinds_are_left_alone():
    assert patches("patches/a/README", "patches/a/1.patch.off", "settings.yaml") == ({}, ())


def test_a_folder_whose_version_is_none_is_refused():
    with pytest.raises(InputError, match="overrides/patches/zope-interface-5 names no version: 'interface-5'"):
        patches("patches/zope-interface-5/1.patch")
