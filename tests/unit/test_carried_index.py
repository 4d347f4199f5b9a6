"""The index of a folder of exported sources: read back, it says what the run saw."""

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from story import RUN, Story, edge, sha256_of
from wheelfleet_coordinator.core.candidates import Candidate, ProjectListing, Release, read_page
from wheelfleet_coordinator.core.carried_index import carried, project_html, project_json
from wheelfleet_coordinator.core.run_sources import RunSource, run_sources
from wheelfleet_shared.core import events as e
from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import NodeKey

LEAF = NodeKey("leaf", "1.0")
PAGE = "file:///carried/simple/leaf/"
DIGEST, OTHER = "ab" * 32, "cd" * 32


def candidate(file_name: str, kind: str, **more) -> Candidate:
    url = f"https://files.test/{file_name}"
    return Candidate(file_name, canonicalize_name("leaf"), more.pop("version", "1.0"), kind, url, **more)  # type: ignore[arg-type]


LISTED = ProjectListing(
    canonicalize_name("leaf"),
    (
        Release(Version("2.0"), (candidate("leaf-2.0.tar.gz", "sdist", version="2.0"),)),
        Release(
            Version("1.0"),
            (
                candidate("leaf-1.0-py3-none-any.whl", "wheel", sha256=OTHER, tags=("py3-none-any",)),
                candidate("leaf-1.0.tar.gz", "sdist", uploaded=1.5, requires_python=">=3.8", yanked=True),
            ),
        ),
    ),
)


def source(name: str = "leaf-1.0.tar.gz", **more) -> RunSource:
    return RunSource(more.pop("node", LEAF), "https://h.test/x", name, more.pop("sha256", DIGEST), 3, "key", **more)


def read(files, listing=LISTED, form: str = "json") -> list[Candidate]:
    page, kind = (
        (project_json, "application/vnd.pypi.simple.v1+json") if form == "json" else (project_html, "text/html")
    )
    return list(read_page(page("leaf", files, listing), kind, PAGE, "leaf").candidates)


def facts(file: Candidate) -> tuple[object, ...]:
    return file.file_name, file.url, file.sha256, file.requires_python, file.yanked


def test_a_page_lists_the_versions_of_the_run_alone_with_what_was_said_of_them():
    own, wheel = read(carried([source()]))
    assert own.url == "file:///carried/sdists-repo/downloads/leaf-1.0.tar.gz"
    assert (own.sha256, own.size, own.uploaded, own.requires_python, own.yanked) == (DIGEST, 3, 1.5, ">=3.8", True)
    assert (wheel.kind, wheel.url, wheel.sha256) == ("wheel", "https://files.test/leaf-1.0-py3-none-any.whl", OTHER)


def test_installers_that_read_no_json_see_the_same_files():
    told = list(map(facts, read(carried([source()]))))
    assert list(map(facts, read(carried([source()]), form="html"))) == told


def test_a_source_of_another_name_is_listed_as_an_sdist_and_has_the_times_of_the_versions_own():
    (item,) = carried([source("v1.zip")])
    assert (item.path, item.page_name) == ("sdists-repo/downloads/v1.zip", "leaf-1.0.zip")
    assert read([item])[0].uploaded == 1.5


def test_two_sources_of_one_name_lie_beside_each_other():
    two = carried([source("v1.zip"), source("v1.zip", node=NodeKey("top", "1.0"), sha256=OTHER)])
    assert [item.path for item in two] == ["sdists-repo/downloads/v1.zip", "sdists-repo/downloads/top-1.0.zip"]


def test_a_prebuilt_wheel_lies_here_and_not_upstream():
    (item,) = carried([source("leaf-1.0-py3-none-any.whl", prebuilt=True)])
    assert [file.url for file in read([item])] == ["file:///carried/wheels-repo/prebuilt/leaf-1.0-py3-none-any.whl"]


def test_what_no_index_listed_is_listed_by_its_name_alone():
    (own,) = read(carried([source()]), None)
    assert (own.file_name, own.uploaded, own.yanked) == ("leaf-1.0.tar.gz", None, False)


def test_a_run_tells_what_it_was_made_from_and_what_never_came():
    story = Story()
    story.submit("leaf", "top")
    prebuilt = edge("toplevel", "top", "top==2.0", source_type="prebuilt", source_name="top-2.0-py3-none-any.whl")
    story.resolve("", "toplevel", edge("toplevel", "leaf", "leaf==1.0"), prebuilt)
    story.fetch("leaf==1.0", size=100)
    listed = e.ProjectListed("leaf", sha256_of("page"), "text/html", "https://i.test/leaf/")
    story.append("run", RUN, listed)
    story.append("run", RUN, e.ProjectListed("absent", sha256_of("page"), "text/html", "https://i.test/absent/"))
    story.append("run", RUN, e.ProjectListed("top", "", "", ""))
    found = run_sources(story.world, RUN)
    here, there = found.sources
    assert (here.node, here.size, bool(here.key), here.prebuilt) == (LEAF, 100, True, False)
    assert (there.size, there.key, there.sha256, there.prebuilt) == (0, "", prebuilt.source_sha256, True)
    assert [(page.project, page.url) for page in found.pages] == [("leaf", "https://i.test/leaf/")]


def test_a_run_that_nobody_knows_has_no_sources():
    with pytest.raises(InputError):
        run_sources(Story().world, RUN)
