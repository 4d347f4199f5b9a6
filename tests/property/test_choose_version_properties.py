"""The choice is what ``packaging`` itself would filter, whatever the versions and specifiers."""

from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from wheelfleet_coordinator.core.candidates import Candidate, ProjectListing, Release
from wheelfleet_coordinator.core.choose_version import Choice, Parent, choose
from wheelfleet_coordinator.core.constraints import Constraints
from wheelfleet_coordinator.core.requirement_lines import RequirementLine
from wheelfleet_shared.core.targets import TargetDefinition
from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import TargetId

TARGET = TargetDefinition(
    TargetId("t"), "cpython", "3.11", "cp311", "x86_64", "glibc", "2.36", {"python_full_version": "3.11.7"}, ()
)
versions = st.builds(
    "{}.{}{}".format,
    st.integers(0, 3),
    st.integers(0, 3),
    st.sampled_from(["", "", "", "a1", "rc2", ".dev1", ".post1", "+local.1"]),
).map(lambda text: str(Version(text)))
plain = versions.filter(lambda text: "+" not in text)
specifiers = st.lists(
    st.one_of(
        st.builds("{}{}".format, st.sampled_from([">=", "<=", ">", "<", "==", "!=", "~="]), plain),
        st.builds("=={}.*".format, st.integers(0, 3)),
    ),
    max_size=3,
).map(",".join)


def listing(yanked_of_version):
    releases = (
        Release(Version(text), (Candidate(f"foo-{text}.tar.gz", "foo", text, "sdist", "https://h/x", yanked=yanked),))
        for text, yanked in yanked_of_version.items()
    )
    return ProjectListing("foo", tuple(sorted(releases, key=lambda release: release.version, reverse=True)))


@given(st.dictionaries(versions, st.booleans(), max_size=12), specifiers, specifiers)
def test_the_choice_is_the_highest_of_what_packaging_lets_through(listed, wanted, limit):
    requirement = Requirement(f"foo{wanted}")
    try:
        constraints = Constraints.merge([RequirementLine(f"foo{limit}", "c:1")] if limit else [], {})
    except InputError:
        return  # no version could satisfy it: refused before any run
    outcome = choose(requirement, listing(listed), Parent("app", "install"), constraints=constraints, target=TARGET)
    prereleases = bool(SpecifierSet(wanted).prereleases or SpecifierSet(limit).prereleases)
    allowed = set(SpecifierSet(wanted).filter(listed, prereleases=prereleases))
    allowed &= set(SpecifierSet(limit).filter(listed, prereleases=True))
    allowed -= {text for text, yanked in listed.items() if yanked}
    if not allowed:
        assert not isinstance(outcome, Choice)
        assert sum(excluded.versions for excluded in outcome.excluded) == len(listed)
        return
    assert isinstance(outcome, Choice)
    assert outcome.version == max(allowed, key=Version)
    assert Version(outcome.version) in SpecifierSet(wanted, prereleases=True)
    newer = [text for text in listed if Version(text) > Version(outcome.version)]
    assert sum(excluded.versions for excluded in outcome.excluded) == len(newer)
