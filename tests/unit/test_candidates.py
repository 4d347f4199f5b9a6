"""Pages of package indexes, as indexes write them."""

import json

import pytest

from wheelfleet_coordinator.core.candidates import (
    JSON_TYPE,
    candidate_at,
    missing_project,
    read_page,
    without_credentials,
)
from wheelfleet_shared.errors import IndexUnusable

BASE = "https://someone:secret@index.example/simple/foo-bar/"
SHA = "ab" * 32


def json_page(*files, **more):
    return json.dumps({"meta": {"api-version": "1.1"}, "name": "foo-bar", "files": files, **more}).encode()


def entry(name, **more):
    return {"filename": name, "url": f"../../files/{name}", "hashes": {"sha256": SHA}, **more}


def read(page, content_type=JSON_TYPE):
    return read_page(page, content_type, BASE, "Foo.Bar")


def test_a_json_entry_says_all_that_is_needed():
    stamp = "2024-01-02T03:04:05.678901Z"
    page = json_page(entry("foo_bar-1.0.0.tar.gz", size=12, **{"upload-time": stamp, "requires-python": ">=3.9"}))
    listing = read(page)
    (found,) = listing.candidates
    assert (found.kind, found.name, found.version) == ("sdist", "foo-bar", "1.0.0")
    assert found.url == "https://index.example/files/foo_bar-1.0.0.tar.gz"
    assert (found.sha256, found.size, found.requires_python) == (SHA, 12, ">=3.9")
    assert found.uploaded == pytest.approx(1704164645.678901)
    assert listing.has_hashes
    assert listing.has_upload_times


def test_an_html_page_gives_the_same_but_sizes_and_times():
    page = f"""<!DOCTYPE html><html><head><meta name="pypi:repository-version" content="1.1"></head><body>
    <a href="../../files/foo_bar-1.0.tar.gz#sha256={SHA}" data-requires-python="&gt;=3.9">foo_bar-1.0.tar.gz</a>
    <a href="/x/foo_bar-1.0-py3-none-any.whl" data-yanked="broken &amp; bad">foo_bar-1.0-py3-none-any.whl</a>
    <a href="/x/foo_bar-2.0.tar.gz" data-yanked="">foo_bar-2.0.tar.gz</a></body></html>"""
    listing = read(page.encode(), "text/html; charset=utf-8")
    newest, sdist, wheel = listing.candidates
    assert (newest.version, newest.yanked, newest.yanked_reason) == ("2.0", True, "")
    assert (sdist.requires_python, sdist.sha256, sdist.yanked) == (">=3.9", SHA, False)
    assert (wheel.yanked_reason, wheel.url) == ("broken & bad", "https://index.example/x/foo_bar-1.0-py3-none-any.whl")
    assert not listing.has_hashes
    assert not listing.has_upload_times


def test_releases_come_newest_first_and_equal_versions_in_page_order():
    texts = ["foo-bar-1.9.zip", "foo_bar-1.10.tar.gz", "Foo.Bar-1.10rc1.tar.gz"]
    names = [*texts, "foo-bar-1.9.0.tar.gz", "foo-bar-1.9.tgz"]
    listing = read(json_page(*map(entry, names)))
    assert [str(release.version) for release in listing.releases] == ["1.10", "1.10rc1", "1.9", "1.9.0"]
    assert [found.file_name for found in listing.releases[2].candidates] == ["foo-bar-1.9.zip", "foo-bar-1.9.tgz"]


@pytest.mark.parametrize(
    "name",
    ["foo_bar-1.0.exe", "foo_bar-1.0.linux-x86_64.tar.gz", "other-1.0.tar.gz", "foo_bar-no!.tar.gz", "index.html"],
)
def test_what_is_no_sdist_or_wheel_of_the_project_is_counted_not_listed(name):
    listing = read(json_page(entry(name)))
    assert not listing.releases
    assert listing.unreadable == 1


@pytest.mark.rule("pure-7")
def test_a_wheel_has_its_tags_and_build_number():
    (found,) = read(json_page(entry("foo_bar-1.0-3abc-py2.py3-none-any.whl"))).candidates
    assert (found.kind, found.build, found.tags) == ("wheel", (3, "abc"), ("py2-none-any", "py3-none-any"))


@pytest.mark.rule("wheel-7")
def test_local_versions_and_epochs_are_normalised():
    (found,) = read(json_page(entry("foo_bar-1!1.0+Local_2.tar.gz"))).candidates
    assert found.version == "1!1.0+local.2"


def test_yanks_of_json_are_booleans_or_reasons():
    files = [entry("foo_bar-3.tar.gz", yanked=True), entry("foo_bar-2.tar.gz", yanked="bad"), entry("foo_bar-1.tar.gz")]
    assert [(found.yanked, found.yanked_reason) for found in read(json_page(*files)).candidates] == [
        (True, ""),
        (True, "bad"),
        (False, ""),
    ]


def test_a_quarantined_project_offers_nothing():
    status = {"status": "quarantined", "reason": "malware"}
    listing = read(json_page(entry("foo_bar-1.tar.gz"), **{"project-status": status}))
    assert not listing.releases
    assert (listing.status, listing.status_reason) == ("quarantined", "malware")
    html = '<meta name="pypi:project-status" content="quarantined"><a href="foo_bar-1.tar.gz">foo_bar-1.tar.gz</a>'
    assert not read(html.encode(), "text/html").releases


def test_an_archived_project_still_offers_its_files():
    listing = read(json_page(entry("foo_bar-1.tar.gz"), **{"project-status": {"status": "archived"}}))
    assert len(listing.releases) == 1


@pytest.mark.parametrize(
    ("page", "content_type"),
    [
        (b"{", JSON_TYPE),
        (b'{"files": 1}', JSON_TYPE),
        (b'{"meta": {"api-version": "2.0"}, "files": []}', JSON_TYPE),
        (b'<meta name="pypi:repository-version" content="2.0">', "text/html"),
        (b"PK", "application/zip"),
    ],
)
def test_what_is_no_page_is_refused_without_telling_credentials(page, content_type):
    with pytest.raises(IndexUnusable) as caught:
        read(page, content_type)
    assert "secret" not in str(caught.value)
    assert "--index-url" in caught.value.next_step


def test_a_digest_that_is_no_sha256_is_no_promise():
    (found,) = read(json_page(entry("foo_bar-1.tar.gz") | {"hashes": {"md5": "d4", "sha256": "short"}})).candidates
    assert found.sha256 == ""


def test_a_page_from_the_network_names_no_file_of_this_machine():
    page = json_page(entry("foo_bar-1.tar.gz") | {"url": "file:///etc/passwd"})
    assert not read(page).releases
    assert len(read_page(page, JSON_TYPE, "file:///srv/simple/foo-bar/", "foo-bar").releases) == 1


def test_a_file_known_by_its_url_alone():
    found = candidate_at(f"https://u:p@h.example/a/foo%2Bx-1.0.tar.gz?x=1#sha256={SHA}", "foo", "1.0", "sdist")
    assert (found.file_name, found.sha256) == ("foo+x-1.0.tar.gz", SHA)
    assert found.url == "https://h.example/a/foo%2Bx-1.0.tar.gz?x=1"


def test_credentials_leave_the_url_and_the_port_stays():
    assert without_credentials("https://u:p%40x@h.example:8443/a@b#c") == "https://h.example:8443/a@b"
    assert without_credentials("https://h.example/plain") == "https://h.example/plain"


def test_a_project_that_the_index_does_not_know():
    assert missing_project("Foo_Bar").status == "missing"


@pytest.mark.parametrize(
    "changed",
    [
        {"filename": f"foo_bar-{'1' * 300}.tar.gz"},
        {"url": f"foo_bar-1.tar.gz?{'x' * 9000}"},
        {"requires-python": ">=3," * 200},
    ],
)
def test_a_file_that_is_told_of_at_endless_length_is_not_listed(changed):
    """An index could make events that the log refuses, and so hold up a run."""
    listing = read(json_page(entry("foo_bar-1.tar.gz") | changed))
    assert (listing.releases, listing.unreadable) == ((), 1)


def test_a_reason_is_cut():
    (found,) = read(json_page(entry("foo_bar-1.tar.gz") | {"yanked": "x" * 100_000})).candidates
    assert found.yanked_reason == "x" * 500
