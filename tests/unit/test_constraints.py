"""Constraints: merged, contradictory, blocking, and only where their markers hold."""

import pytest
from packaging.version import Version

from wheelfleet_coordinator.core.constraints import Constraints
from wheelfleet_coordinator.core.requirement_lines import RequirementLine
from wheelfleet_shared.errors import InputError

LINUX = {"sys_platform": "linux", "python_version": "3.11"}


def merge(*texts, environment=LINUX):
    lines = [RequirementLine(text, f"c.txt:{number}") for number, text in enumerate(texts, start=1)]
    return Constraints.merge(lines, environment)


def test_lines_on_one_name_hold_together():
    constraints = merge("Foo.Bar>=1", "foo-bar<3")
    assert constraints.admit("foo_bar", Version("2"))
    assert not constraints.admit("foo_bar", Version("3"))
    assert constraints.text("FOO-bar") == "foo-bar<3,>=1"
    assert constraints.origin("foo-bar") == "c.txt:1, c.txt:2"
    assert constraints.text("other") == ""
    assert constraints.of("other") is None


@pytest.mark.parametrize("pair", [("foo>=2", "foo<2"), ("foo==1", "foo==2"), ("foo<0", "foo>=1"), ("foo>1", "foo<0.0")])
def test_contradictions_name_both_lines(pair):
    with pytest.raises(InputError) as caught:
        merge(*pair)
    assert "c.txt:1" in caught.value.what
    assert "c.txt:2" in caught.value.what


def test_lines_for_other_environments_contradict_nothing():
    constraints = merge('foo<2; sys_platform == "linux"', 'foo>=2; sys_platform == "win32"')
    assert constraints.text("foo") == 'foo<2; sys_platform == "linux"'


def test_the_host_does_not_decide_markers():
    constraints = merge('foo<2; sys_platform == "linux"', environment={"sys_platform": "win32"})
    assert constraints.of("foo") is None


@pytest.mark.parametrize("text", ["foo<0", "foo<0.0", "foo<0.0.0"])
def test_blocking_a_distribution(text):
    constraints = merge(text, text)
    assert constraints.blocks("Foo")
    assert not constraints.admit("foo", Version("0.1"))
    assert not merge("foo<0.1").blocks("foo")


@pytest.mark.parametrize("text", ["foo", "foo[x]>=1", "foo>=2,<1"])
def test_a_line_that_can_be_no_constraint_is_refused_with_its_place(text):
    with pytest.raises(InputError, match=r"c\.txt:1"):
        merge(text)


def test_a_constraint_that_mentions_a_pre_release_allows_them():
    constraints = merge("foo>=1.0a1", "bar>=1")
    assert constraints.allow_prereleases("foo")
    assert not constraints.allow_prereleases("bar")
    assert not constraints.allow_prereleases("baz")
