"""What a saved order asks to be brought, and pages of wheels that merely lie in a folder."""

import json

import pytest

from wheelfleet_coordinator.core.candidates import JSON_TYPE, missing_project, read_page
from wheelfleet_coordinator.core.download_plan import (
    Download,
    OrderedSource,
    Unavailable,
    read_ordered_sources,
    skipped,
    stated_file,
)
from wheelfleet_coordinator.core.index_pages import HTML_TYPE, PlainFile, plain_project_page
from wheelfleet_shared.errors import InputError

ONE, OTHER = "1" * 64, "2" * 64


def listing(**digests):
    files = [
        {"filename": f"a-1.0.{end}", "url": f"https://index.invalid/a-1.0.{end}", "hashes": {"sha256": digest}}
        for end, digest in digests.items()
    ]
    page = {"meta": {"api-version": "1.1"}, "name": "a", "files": files}
    return read_page(json.dumps(page).encode(), JSON_TYPE, "https://index.invalid/a/", "a")


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"source_url": "https://h.invalid/x/a-1.0.zip", "sha256": OTHER}, OTHER),
        ({"source_url": f"https://h.invalid/x/a-1.0.zip#sha256={OTHER}"}, OTHER),
        ({"source_url": "https://h.invalid/x/a-1.0.zip"}, ONE),
        ({"source_url": "https://h.invalid/x/v1.zip"}, ""),
        ({}, ONE),
        ({"sha256": OTHER}, OTHER),
    ],
)
def test_the_digest_is_the_orders_then_that_of_the_file_of_this_name_on_the_index(entry, expected):
    found = stated_file(OrderedSource("A", "1", **entry), listing(zip=ONE))
    assert isinstance(found, Download)
    assert (found.key, found.candidate.sha256, found.folder) == ("a==1", expected, "sdists-repo/downloads")


def test_what_neither_knows_cannot_be_had():
    assert isinstance(stated_file(OrderedSource("a", "1"), missing_project("a")), Unavailable)
    wheel = OrderedSource("a", "1", prebuilt=True, source_url="https://h.invalid/a-1-py3-none-any.whl")
    assert stated_file(wheel, listing(zip=ONE)).folder == "wheels-repo/prebuilt"


def test_what_is_skipped_is_said():
    assert skipped(OrderedSource("a", "1"), wheels=False) == ""
    assert "prebuilt" in skipped(OrderedSource("a", "1", prebuilt=True), wheels=False)
    assert skipped(OrderedSource("a", "1", prebuilt=True), wheels=True) == ""
    assert "git" in skipped(OrderedSource("a", "1", source_url_type="git"), wheels=True)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{}", "o.json is no build order"),
        (b'[{"dist": "a", "version": "1"}, {"dist": "b", "version": "x"}]', r"o\.json, entry 2 \(b\)"),
        (b'[{"dist": "a", "version": "1", "sha256": "0"}]', "'0' is no sha256"),
    ],
)
def test_what_is_no_order_is_refused(content, words):
    with pytest.raises(InputError, match=words):
        read_ordered_sources(content, "o.json")


def test_a_page_of_a_folder_can_be_read_back_in_both_forms():
    names = ["a-2-py3-none-any.whl", "a-10-py3-none-any.whl"]
    files = [PlainFile(name, name, ONE, 3) for name in names]
    for form, kind in (("json", JSON_TYPE), ("html", HTML_TYPE)):
        found = read_page(plain_project_page("a", files, form), kind, "http://127.0.0.1/simple/a/", "a")
        assert [(file.url, file.sha256) for file in found.candidates] == [
            (f"http://127.0.0.1/simple/a/{name}", ONE) for name in reversed(names)
        ]
    assert json.loads(plain_project_page("a", files, "json"))["versions"] == ["2", "10"]
