"""Which version serves a requirement, and why none does."""

import json

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from wheelfleet_coordinator.core.candidates import JSON_TYPE, missing_project, read_page
from wheelfleet_coordinator.core.choose_version import Choice, Parent, choose, choose_every, file_names_of
from wheelfleet_coordinator.core.constraints import Constraints
from wheelfleet_coordinator.core.previous_graph import KnownVersion, PreviousGraph
from wheelfleet_coordinator.core.refusals import Refusal
from wheelfleet_coordinator.core.requirement_lines import RequirementLine
from wheelfleet_coordinator.core.version_rules import SDISTS, WHEELS
from wheelfleet_shared.core.targets import TargetDefinition
from wheelfleet_shared.names import TargetId

TARGET = TargetDefinition(
    id=TargetId("cp311-linux_x86_64"),
    implementation="cpython",
    python="3.11",
    abi="cp311",
    machine="x86_64",
    libc="glibc",
    libc_floor="2.36",
    marker_environment={"python_full_version": "3.11.7", "python_version": "3.11", "sys_platform": "linux"},
    tags=("cp311-cp311-linux_x86_64", "cp311-abi3-linux_x86_64", "py3-none-any"),
)
INSTALL = Parent("app", "install")


def file(name, day=1, **more):
    stamp = f"2024-01-{day:02}T00:00:00Z"
    return {"filename": name, "url": name, "hashes": {"sha256": "ab" * 32}, "upload-time": stamp, **more}


def listing(*files, status="active"):
    entries = [entry if isinstance(entry, dict) else file(entry) for entry in files]
    page = {"meta": {"api-version": "1.1"}, "files": entries, "project-status": {"status": status, "reason": "why"}}
    return read_page(json.dumps(page).encode(), JSON_TYPE, "https://index.example/simple/foo/", "foo")


def sdists(*versions):
    return listing(*(f"foo-{version}.tar.gz" for version in versions))


def constrained(*texts):
    return Constraints.merge([RequirementLine(text, f"c.txt:{n}") for n, text in enumerate(texts, 1)], {})


def pick(requirement, listed, parent=INSTALL, *, constraints=(), **more):
    limits = constrained(*constraints)
    return choose(Requirement(requirement), listed, parent, constraints=limits, target=TARGET, **more)


def version(outcome):
    assert isinstance(outcome, Choice), outcome
    return outcome.version


def refused(outcome):
    assert isinstance(outcome, Refusal), outcome
    return outcome


def day(number):
    return 1704067200.0 + (number - 1) * 86400


def test_the_highest_version_that_requirement_and_constraint_allow():
    listed = sdists("1.0", "2.0", "3.0", "10.0")
    assert version(pick("foo", listed)) == "10.0"
    assert version(pick("foo<10", listed)) == "3.0"
    choice = pick("foo<10", listed, constraints=["foo<3"])
    assert version(choice) == "2.0"
    assert choice.why == "newest that foo<10 allows with the constraint foo<3"
    assert [str(excluded) for excluded in choice.excluded] == ["10.0: requirement (<10)", "3.0: constraint (foo<3)"]


def test_neighbours_that_one_rule_excludes_are_told_together():
    (excluded,) = pick("foo<2", sdists("1.0", *(f"2.{n}" for n in range(50)))).excluded
    assert (excluded.rule, excluded.newest, excluded.oldest, excluded.versions) == ("requirement", "2.49", "2.0", 50)


def test_pre_releases_only_where_somebody_mentions_one():
    listed = sdists("1.0", "2.0a1")
    assert version(pick("foo", listed)) == "1.0"
    assert version(pick("foo>=1.0a1", listed)) == "2.0a1"
    assert version(pick("foo", listed, constraints=["foo>=1.0rc1"])) == "2.0a1"
    assert pick("foo", listed).excluded[0].rule == "pre-release"


def test_there_is_no_fall_back_to_pre_releases():
    refusal = refused(pick("foo", sdists("1.0a1", "1.0.dev2")))
    assert "only as pre-release" in refusal.reason
    assert "foo>=1.0a1" in refusal.hint


def test_yanked_files_are_never_chosen_not_even_when_pinned():
    listed = listing(file("foo-2.0.tar.gz", yanked="loses data"), "foo-1.0.tar.gz")
    assert version(pick("foo", listed)) == "1.0"
    assert "2.0 yanked (loses data)" in refused(pick("foo==2.0", listed)).reason


@pytest.mark.rule("source-11")
def test_wheels_do_not_count_unless_a_wheel_is_wanted():
    listed = listing("foo-2.0-py3-none-any.whl", "foo-2.0-cp311-cp311-linux_x86_64.whl", "foo-1.0.tar.gz")
    assert version(pick("foo", listed)) == "1.0"
    refusal = refused(pick("foo>=2", listed))
    assert "2.0: no sdist (2 wheels exist)" in refusal.reason
    assert refusal.hint == "mark pre_built, give download_source, or git"


def test_requires_python_holds_and_one_that_cannot_be_read_lets_nothing_in():
    listed = listing(
        file("foo-3.0.tar.gz", **{"requires-python": ">=3.12"}),
        file("foo-2.0.tar.gz", **{"requires-python": ">= '3'"}),
        file("foo-1.0.tar.gz", **{"requires-python": ">=3.11.7"}),
    )
    choice = pick("foo", listed)
    assert version(choice) == "1.0"
    assert {excluded.rule for excluded in choice.excluded} == {"requires-python"}
    assert "needs Python >=3.12, the target has 3.11.7" in refused(pick("foo==3", listed)).reason


def test_what_was_uploaded_later_does_not_exist():
    undated = {"filename": "foo-4.0.tar.gz", "url": "x", "hashes": {}}
    listed = listing(file("foo-1.0.tar.gz", 1), file("foo-2.0.tar.gz", 2), file("foo-3.0.tar.gz", 3), undated)
    choice = pick("foo", listed, as_of=day(2))
    assert version(choice) == "2.0"
    assert [excluded.rule for excluded in choice.excluded] == ["as-of"]
    assert "--as-of" in refused(pick("foo>=3", listed, as_of=day(2))).hint


def test_a_blocked_distribution_names_the_line():
    refusal = refused(pick("foo", sdists("1.0"), constraints=["foo<0"]))
    assert refusal.reason == "the constraint foo<0 (c.txt:1) blocks foo"


def test_refusals_say_what_came_nearest_first():
    listed = listing(file("foo-3.0.tar.gz", yanked="bad"), "foo-2.0a1.tar.gz", "foo-1.0.tar.gz", "foo-0.9.tar.gz")
    refusal = refused(pick("foo>=1.5", listed))
    words = ("3.0 yanked", "2.0a1 only", "1.0, 0.9 outside")
    yanked, pre_release, outside = (refusal.reason.index(word) for word in words)
    assert yanked < pre_release < outside
    assert len(refusal.excluded) == 3
    assert "c.txt:1" in refused(pick("foo", sdists("1.0"), constraints=["foo>1"])).hint


@pytest.mark.parametrize(
    ("listed", "words"),
    [
        (missing_project("foo"), "the index has no foo"),
        (listing("foo-1.tar.gz", status="quarantined"), "quarantine: why"),
        (listing("foo-1.exe"), "1 file names cannot be read"),
        (listing(), "lists no sdist or wheel"),
    ],
)
def test_a_project_without_versions_says_why(listed, words):
    assert words in refused(pick("foo", listed)).reason


def test_a_requirement_by_url_is_refused():
    assert "URL" in refused(pick("foo @ https://h.example/foo-1.tar.gz", sdists("1"))).reason


def test_equal_sdists_are_taken_in_page_order():
    choice = pick("foo", listing("foo-1.0.zip", "foo-1.0.tar.gz"))
    assert choice.candidate.file_name == "foo-1.0.zip"


# --- wheels as such


def test_a_prebuilt_wheel_fits_the_target_with_the_highest_build_and_the_best_tag():
    listed = listing(
        "foo-3.0.tar.gz",
        "foo-2.0-cp312-cp312-linux_x86_64.whl",
        "foo-1.0-py3-none-any.whl",
        "foo-1.0-cp311-abi3-linux_x86_64.whl",
        "foo-1.0-0-py3-none-any.whl",
        "foo-1.0-10-py3-none-any.whl",
        "foo-1.0-9-cp311-cp311-linux_x86_64.whl",
    )
    choice = pick("foo", listed, sought=WHEELS)
    assert choice.candidate.file_name == "foo-1.0-10-py3-none-any.whl"
    assert [(excluded.rule, excluded.detail) for excluded in choice.excluded] == [
        ("no wheel", "1 sdist exist"),
        ("tags", "cp311-linux_x86_64"),
    ]
    untagged = listing("foo-1.0-py3-none-any.whl", "foo-1.0-cp311-abi3-linux_x86_64.whl")
    assert pick("foo", untagged, sought=WHEELS).candidate.file_name == "foo-1.0-cp311-abi3-linux_x86_64.whl"
    assert "no wheel fits" in refused(pick("foo==2", listed, sought=WHEELS)).reason
    assert "no wheel" in refused(pick("foo==3", listed, sought=WHEELS)).reason


# --- versions of an earlier run


def graph(*edges):
    """A graph of edges (parent, kind, requirement, child version, pre_built), all to foo."""
    nodes = {"": {"canonicalized_name": "", "version": "0", "edges": []}}
    for parent, kind, requirement, child, pre_built in edges:
        if parent and parent not in nodes:
            nodes[parent] = {"canonicalized_name": parent.split("==")[0], "version": parent.split("==")[1], "edges": []}
            nodes[""]["edges"].append({"key": parent, "req_type": "toplevel", "req": parent})
        key = f"foo=={child}"
        url = f"https://u:p@old.example/foo-{child}.tar.gz#sha256={'cd' * 32}"
        nodes[key] = {
            "canonicalized_name": "foo",
            "version": child,
            "download_url": url,
            "pre_built": pre_built,
            "edges": [],
        }
        nodes[parent]["edges"].append({"key": key, "req_type": kind, "req": requirement})
    return PreviousGraph.parse(json.dumps(nodes).encode(), "graph.json")


def test_the_edge_of_the_parent_at_any_version_goes_before_other_versions_of_the_name():
    previous = graph(("app==1", "install", "foo", "1.0", False), ("other==1", "install", "foo", "2.0", False))
    choice = pick("foo", sdists("1.0", "2.0", "3.0"), previous=previous)
    assert version(choice) == "1.0"
    assert choice.why == "previous graph: install of app"
    assert [excluded.rule for excluded in choice.excluded] == ["previous graph"]


def test_a_new_parent_or_kind_takes_the_highest_version_of_the_name():
    previous = graph(("app==1", "build-system", "foo", "1.0", False), ("other==1", "install", "foo", "2.0", False))
    choice = pick("foo", sdists("1.0", "2.0", "3.0"), previous=previous)
    assert (choice.version, choice.why) == ("2.0", "previous graph: by name")


def test_pins_obey_requirement_and_constraint_and_the_rule_for_pre_releases():
    previous = graph(("app==1", "install", "foo", "1.0", False), ("app==2", "install", "foo", "2.0rc1", False))
    listed = sdists("1.0", "1.5", "2.0rc1")
    assert version(pick("foo", listed, previous=previous)) == "1.0"
    assert version(pick("foo>=1.1", listed, previous=previous)) == "1.5"
    assert version(pick("foo>1.0", listed, previous=previous, constraints=["foo>=1.0a1"])) == "2.0rc1"
    assert version(pick("foo", listed, previous=previous, constraints=["foo==1.5"])) == "1.5"


def test_what_the_run_itself_requires_goes_before_the_previous_graph_and_only_with_one():
    own = [KnownVersion("foo", Version("2.0"), "https://h.example/foo-2.0.tar.gz", pre_built=False)]
    listed = sdists("1.0", "2.0", "3.0")
    previous = graph(("app==1", "install", "foo", "1.0", False))
    assert version(pick("foo", listed, previous=previous, top_level=own)) == "2.0"
    assert version(pick("foo<2", listed, previous=previous, top_level=own)) == "1.0"
    assert version(pick("foo", listed, top_level=own)) == "3.0"


def test_a_run_that_requires_the_same_as_the_previous_one_takes_its_versions_again():
    """fromager: setuptools==75.8.0 required beside stevedore, whose setuptools>=40.8.0 led to 84.2.1."""
    own = [KnownVersion("foo", Version("1.0"), "https://h.example/foo-1.0.tar.gz", pre_built=False)]
    listed = sdists("1.0", "2.0", "3.0")
    previous = graph(("", "toplevel", "foo==1.0", "1.0", False), ("app==1", "install", "foo", "2.0", False))
    assert version(pick("foo", listed, previous=previous, top_level=own)) == "2.0"
    assert version(pick("foo<2", listed, previous=previous, top_level=own)) == "1.0"
    assert version(pick("foo", listed, Parent("new", "install"), previous=previous, top_level=own)) == "1.0"


def test_requirements_of_the_run_itself_look_at_the_root_of_the_previous_graph():
    previous = graph(("", "toplevel", "foo", "1.0", False), ("app==1", "install", "foo", "2.0", False))
    assert version(pick("foo", sdists("1.0", "2.0"), Parent(None, "toplevel"), previous=previous)) == "1.0"


def test_a_pinned_version_may_be_yanked_or_gone_and_is_taken_from_the_index_that_lists_it():
    previous = graph(("app==1", "install", "foo", "1.0", False))
    listed = listing(file("foo-1.0.tar.gz", yanked="old", **{"requires-python": "<3"}))
    choice = pick("foo", listed, previous=previous)
    assert choice.candidate.url == "https://index.example/simple/foo/foo-1.0.tar.gz"
    gone = pick("foo", missing_project("foo"), previous=previous)
    assert (gone.candidate.url, gone.candidate.sha256) == ("https://old.example/foo-1.0.tar.gz", "cd" * 32)


def test_as_of_binds_pins_too():
    previous = graph(("app==1", "install", "foo", "2.0", False))
    listed = listing(file("foo-2.0.tar.gz", 5), file("foo-1.0.tar.gz", 1))
    assert version(pick("foo", listed, previous=previous, as_of=day(2))) == "1.0"


def test_pins_of_the_other_kind_do_not_count():
    previous = graph(("app==1", "install", "foo", "1.0", True))
    listed = listing("foo-2.0.tar.gz", "foo-1.0-py3-none-any.whl")
    assert version(pick("foo", listed, previous=previous)) == "2.0"
    assert version(pick("foo", listed, previous=previous, sought=WHEELS)) == "1.0"


@pytest.mark.rule("pure-1")
def test_all_names_of_a_version_speak_of_pure_and_native():
    wheel = "foo-1.0-cp311-cp311-linux_x86_64.whl"
    listed = listing(file("foo-1.0.tar.gz", 1, yanked=True), file(wheel, 3), "foo-2.0.tar.gz")
    assert file_names_of(listed, "1.0") == ("foo-1.0.tar.gz", wheel)
    assert file_names_of(listed, "1.0", as_of=day(2)) == ("foo-1.0.tar.gz",)
    assert file_names_of(listed, "9") == ()


def every(requirement, listed, **more):
    limits = constrained(*more.pop("constraints", ()))
    outcome = choose_every(Requirement(requirement), listed, INSTALL, constraints=limits, target=TARGET, **more)
    return outcome if isinstance(outcome, Refusal) else [choice.version for choice in outcome]


def test_every_version_that_serves_newest_first_and_no_more_than_asked_for():
    assert every("foo>1", sdists("1.0", "2.0", "3.0", "1.5")) == ["3.0", "2.0", "1.5"]
    assert every("foo>1", sdists("1.0", "2.0", "3.0"), constraints=["foo<3"], most=1) == ["2.0"]
    assert isinstance(every("foo>9", sdists("1.0")), Refusal)
    assert isinstance(every("foo @ https://x.example/foo.tar.gz", sdists("1.0")), Refusal)


def test_where_all_are_too_old_the_newest_counts_alone():
    day = 1704067200.0
    listed = listing(file("foo-1.0.tar.gz", 1), file("foo-2.0.tar.gz", 2), file("foo-3.0.tar.gz", 3))
    assert every("foo", listed, sought=SDISTS._replace(oldest=day + 86_400)) == ["3.0", "2.0"]
    assert every("foo", listed, sought=SDISTS._replace(oldest=day + 9 * 86_400)) == ["3.0"]
    assert every("foo<3", listed, sought=SDISTS._replace(oldest=day + 9 * 86_400)) == ["2.0"]
