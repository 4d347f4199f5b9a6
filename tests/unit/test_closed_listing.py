"""What a run that builds a saved order may choose from."""

import pytest
from packaging.requirements import Requirement

from story import RUN, Story, edge
from wheelfleet_coordinator.core.choose_version import Choice
from wheelfleet_coordinator.core.closed_listing import choose_entry, closed_listing, listing_of_entries
from wheelfleet_coordinator.core.constraints import Constraints
from wheelfleet_coordinator.core.refusals import Refusal
from wheelfleet_coordinator.core.requirement_lines import RequirementLine
from wheelfleet_shared.core.bundle import Entry

ENTRIES = tuple(Entry("tool", version, f"sim://tool/tool-{version}.tar.gz") for version in ("1.0", "2.0", "3.0rc1"))
FREE = Constraints.merge((), {})


@pytest.mark.parametrize(
    ("asked", "version"), [("tool", "3.0rc1"), ("tool<3", "2.0"), ("tool==1", "1.0"), ("tool>=3.0rc1", "3.0rc1")]
)
def test_the_newest_entry_that_fits_serves_and_pre_releases_are_entries_like_others(asked, version):
    found = choose_entry(Requirement(asked), listing_of_entries("tool", ENTRIES), FREE)
    assert isinstance(found, Choice)
    assert (found.version, found.candidate.file_name) == (version, f"tool-{version}.tar.gz")


def test_constraints_hold_here_too_and_a_refusal_says_what_is_held():
    constraints = Constraints.merge([RequirementLine("tool<1", "c.txt:1")], {})
    found = choose_entry(Requirement("tool"), listing_of_entries("tool", ENTRIES), constraints)
    assert isinstance(found, Refusal)
    assert "held: 3.0rc1, 2.0, 1.0" in found.reason
    nothing = choose_entry(Requirement("other"), listing_of_entries("other", ENTRIES), FREE)
    assert isinstance(nothing, Refusal)
    assert "held: none" in nothing.reason


def test_what_the_order_lacks_is_looked_for_in_the_index_and_nowhere_else():
    story = Story()
    story.submit("pbr")
    story.resolve("", "toplevel", edge("toplevel", "pbr", "pbr==1.0"))
    story.build("pbr==1.0")
    found = closed_listing(story.world, RUN, "pbr", ENTRIES)
    assert [str(release.version) for release in found.releases] == ["1.0"]
    assert closed_listing(story.world, RUN, "absent", ENTRIES).status == "missing"
