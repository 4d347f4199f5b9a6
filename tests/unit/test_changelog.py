import pytest
from packaging.version import Version

from wheelfleet_coordinator.core.changelog import build_tag, changelog_of, tag_in_names

CHANGELOG = {Version("1.0"): ["one", "two"], Version("1.0.post1"): ["x"], Version("3+local"): ["never"]}


@pytest.mark.parametrize(
    ("variant", "version", "tag"),
    [
        ([], "1.0", (2, "")),
        (["g"], "1.0", (3, "")),
        (["g"], "1.0.0+cu126", (3, "")),
        (["g"], "1.0.post1", (2, "")),
        (["g"], "2.0", (1, "")),
        ([], "2.0", ()),
        ([], "3+local", ()),
    ],
)
def test_the_tag_counts_both_changelogs(variant: list[str], version: str, tag: tuple[()] | tuple[int, str]):
    assert build_tag(variant, CHANGELOG, Version(version), pre_built=False) == tag
    assert build_tag(variant, CHANGELOG, Version(version), pre_built=True) == ()


def test_each_wheel_that_is_built_has_a_tag_in_its_name():
    assert tag_in_names((), pre_built=False) == "0"
    assert tag_in_names((3, ""), pre_built=False) == "3"
    assert tag_in_names((), pre_built=True) == ""


def test_entries_of_a_version_are_found_in_any_spelling():
    assert changelog_of(CHANGELOG, Version("1")) == ["one", "two"]
