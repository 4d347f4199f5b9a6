"""What a dry run tells of each requirement."""

import json

from packaging.utils import canonicalize_name

from wheelfleet_coordinator.core.candidates import ProjectListing, read_page
from wheelfleet_coordinator.core.constraints import Constraints
from wheelfleet_coordinator.core.foresight import Foreseen, Shelf, foresee
from wheelfleet_coordinator.core.requirement_lines import RequirementLine
from wheelfleet_coordinator.core.resolve_stage import RunRules
from wheelfleet_shared.core.targets import TargetDefinition
from wheelfleet_shared.names import TargetId

TARGET = TargetId("cp311-linux_x86_64")
MARKERS = {"python_version": "3.11", "python_full_version": "3.11.7", "implementation_version": "3.11.7"}
TAGS = ("cp311-cp311-manylinux_2_17_x86_64", "py3-none-any")
PYTHON = TargetDefinition(TARGET, "cpython", "3.11", "cp311", "x86_64", "glibc", "2.28", MARKERS, TAGS)


def listing(*files: str) -> ProjectListing:
    page = {"meta": {"api-version": "1.0"}, "name": "tool", "files": [{"filename": f, "url": f} for f in files]}
    content = json.dumps(page).encode()
    return read_page(content, "application/vnd.pypi.simple.v1+json", "https://a.example/", canonicalize_name("tool"))


SDISTS = {"tool": listing("tool-1.tar.gz", "tool-2.tar.gz", "tool-3a1.tar.gz")}


def foreseen(requirement: str, *shelves: Shelf, constraint: str = "") -> Foreseen:
    lines = [RequirementLine(constraint, "c.txt:1")] if constraint else []
    rules = RunRules(PYTHON, Constraints.merge(lines, MARKERS), None, None, {})
    (found,) = foresee((requirement,), rules, SDISTS, shelves)
    return found


def test_the_version_is_told_with_the_rule_that_chose_it_and_what_keeps_newer_ones_out():
    found = foreseen("tool>=1", constraint="tool<2.5")
    assert (found.status, found.version, found.source) == ("build", "2", "tool-2.tar.gz")
    assert found.why == "newest that tool>=1 allows with the constraint tool<2.5; kept out: 3a1: constraint (tool<2.5)"
    assert found.constraint == "tool<2.5"


def test_a_requirement_without_a_version_is_told_with_the_reason():
    found = foreseen("tool>5")
    assert (found.status, found.version) == ("no version", "")
    assert found.why


def test_a_marker_that_does_not_hold_takes_a_requirement_out():
    assert foreseen("tool; python_version < '3'").status == "not on this target"


def test_a_wheel_that_the_target_can_install_is_taken_over_from_the_first_place_that_has_it():
    ours = Shelf("main/cpu", {"tool": listing("tool-1-py3-none-any.whl", "tool-2-cp39-cp39-win_amd64.whl")})
    cache = Shelf("https://cache.example", {"tool": listing("tool-2.tar.gz", "tool-2-0-py3-none-any.whl")})
    found = foreseen("tool", Shelf("empty", {}), ours, cache)
    assert (found.status, found.version) == ("take over", "2")
    assert (found.wheel, found.wheel_from) == ("tool-2-0-py3-none-any.whl", "https://cache.example")
    assert foreseen("tool", ours).status == "build"
