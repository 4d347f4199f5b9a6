"""Versions that could be chosen, their ages, and what is newer than a pin."""

import json

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from wheelfleet_coordinator.adapters.this_target import this_target
from wheelfleet_coordinator.core.available_versions import available, pin_of, updates, version_rows
from wheelfleet_coordinator.core.candidates import JSON_TYPE, Release, read_page
from wheelfleet_coordinator.core.choose_version import Parent, choose
from wheelfleet_coordinator.core.constraints import Constraints
from wheelfleet_coordinator.core.requirement_lines import RequirementLine
from wheelfleet_coordinator.core.resolution_report import Resolution, resolution_lines
from wheelfleet_coordinator.core.version_rules import SDISTS, Sought
from wheelfleet_coordinator.core.version_tables import Update, updates_text, versions_text

NOW = 1_760_000_000.0
BOTH = Sought(frozenset({"sdist", "wheel"}))


def file(name, *, uploaded=None, **facts):
    entry = {"filename": name, "url": f"https://files.invalid/{name}", "hashes": {}} | facts
    return entry | ({"upload-time": uploaded} if uploaded else {})


def listing(*files):
    page = {"meta": {"api-version": "1.1"}, "name": "a", "files": list(files)}
    return read_page(json.dumps(page).encode(), JSON_TYPE, "https://index.invalid/a/", "a")


FOUND = listing(
    file("a-1.0.tar.gz", uploaded="2025-01-01T10:00:00Z"),
    file("a-1.0.zip", uploaded="2025-01-03T10:00:00Z"),
    file("a-1.1-py3-none-any.whl", uploaded="2025-02-01T00:00:00Z"),
    file("a-2.0.tar.gz", uploaded="2025-10-09T00:00:00Z"),
    file("a-2.1.tar.gz", yanked=True),
    file("a-3.0a1.tar.gz"),
    file("a-4.0.tar.gz", **{"requires-python": "<3"}),
    file("nonsense"),
)


def versions(text, sought=SDISTS, *constraints):
    merged = Constraints.merge([RequirementLine(line, "c.txt:1") for line in constraints], {})
    found = available(Requirement(text), FOUND, sought, constraints=merged, target=this_target())
    return [str(release.version) for release in found]


def test_versions_are_those_with_a_file_that_would_do_oldest_first():
    assert versions("a") == ["1.0", "2.0"]
    assert versions("a", BOTH) == ["1.0", "1.1", "2.0"]
    assert versions("a>=1.1", BOTH, "a<2") == ["1.1"]
    assert versions("a>=3.0a1") == ["3.0a1"]


def rows(min_age=None):
    found = available(Requirement("a>=0a1"), FOUND, BOTH, constraints=Constraints(), target=this_target())
    return version_rows("a", found, now=NOW, min_age=min_age)


def test_the_age_is_that_of_the_newest_file_that_counts():
    assert [(row.version, row.upload_time, row.age_days, row.cooldown) for row in rows()] == [
        ("1.0", "2025-01-03 10:00", "278", ""),
        ("1.1", "2025-02-01 00:00", "250", ""),
        ("2.0", "2025-10-09 00:00", "0", ""),
        ("3.0a1", "", "", ""),
    ]


def test_what_is_too_young_or_of_unknown_age_is_blocked():
    assert [row.cooldown for row in rows(7)] == ["available", "available", "blocked", "blocked"]


def test_plain_lists_leave_out_what_is_blocked():
    assert versions_text(rows(7), "versions") == "1.0\n1.1\n"
    assert versions_text(rows(7), "requirements") == "a==1.0\na==1.1\n"
    assert len(json.loads(versions_text(rows(7), "json"))) == 4
    assert versions_text(rows(7), "csv").splitlines()[:2] == [
        '"package","version","upload_time","age_days","cooldown"',
        '"a","1.0","2025-01-03 10:00","278","available"',
    ]


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        ("a==1.0", ["1.1", "2.0"]),
        ("a===1.0", ["1.1", "2.0"]),
        ("a==1.*", ["2.0"]),
        ("a<1.1", ["1.1", "2.0"]),
        ("a<=1.1", ["2.0"]),
        ("a~=1.0", ["2.0"]),
        ("a!=1.0", ["1.1", "2.0"]),
        (">=0.5,<2", ["2.0"]),
    ],
)
def test_updates_are_beyond_what_the_constraint_lets_in(constraint, expected):
    pin = pin_of(Requirement(constraint if constraint.startswith("a") else f"a{constraint}"))
    releases = [Release(Version(text), ()) for text in ("0.9", "1.0", "1.1", "2.0")]
    assert [str(version) for version in updates(pin, releases)] == expected


@pytest.mark.parametrize("constraint", ["a>=1", "a<0", "a<2,!=1", "a===odd", "a"])
def test_a_constraint_that_does_not_stop_at_one_version_has_no_updates(constraint):
    assert pin_of(Requirement(constraint)) is None


def test_updates_as_texts():
    found = [Update("a", "2"), Update("b", "1")]
    assert updates_text(found, "requirements") == "a==2\nb==1\n"
    assert updates_text(found, "csv") == "name,version\r\na,2\r\nb,1\r\n"
    assert json.loads(updates_text([], "json")) == []


def told(text, page, *constraints):
    merged = Constraints.merge([RequirementLine(line, "c.txt:1") for line in constraints], {})
    requirement, target = Requirement(text), this_target()
    wanted = tuple(available(requirement, page, SDISTS, constraints=merged, target=target))
    outcome = choose(requirement, page, Parent(None, "toplevel"), constraints=merged, target=target)
    return list(resolution_lines(Resolution(requirement, page, wanted, outcome), merged))


def test_a_resolution_is_told_with_what_keeps_newer_versions_out():
    assert told("a", FOUND, "a<5") == [
        "constraint: a<5 (c.txt:1)",
        "versions that count: 1.0, 2.0",
        "most recent release: 2025-10-09 00:00 UTC",
        "a resolves to 2.0: newest that a allows with the constraint a<5",
        "  from a-2.0.tar.gz",
        "newer versions that are kept out:",
        "  4.0: requires-python (<3)",
        "  3.0a1: pre-release",
        "  2.1: yanked",
        "on the index, yanked files aside: 1.0, 1.1, 2.0, 3.0a1, 4.0",
        "  only as sdists: 1.0, 2.0, 3.0a1, 4.0",
        "  only as wheels: 1.1",
        "  its wheels are pure",
        "  1 file names cannot be read",
    ]


def test_a_requirement_without_a_version_is_told_as_such():
    lines = told("a>9", listing(file("a-1.0-cp311-cp311-linux_x86_64.whl"), file("a-1.0.tar.gz")))
    assert lines[3].startswith("a>9 resolves to nothing: ")
    assert "versions that are kept out:" in lines
    assert "  its wheels are native" in lines
    assert told("a", listing())[-1] == "on the index, yanked files aside: none"
    assert "most recent release: unknown" in told("a", listing(file("a-1.tar.gz")))
