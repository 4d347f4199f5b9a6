"""The upstream index over real HTTP on loopback, and in a folder."""

import asyncio
import base64
import hashlib
import json
import threading
from dataclasses import replace

import pytest

from loopback_index import Answer, loopback_server
from wheelfleet_coordinator.adapters.package_index import HttpPackageIndex
from wheelfleet_coordinator.adapters.user_configuration import IndexChoice
from wheelfleet_coordinator.core.candidates import JSON_TYPE, read_page
from wheelfleet_shared.errors import IndexUnusable, InfrastructureError, InputError, SourceError

CHOICE = IndexChoice("http://127.0.0.1:1/simple", "a test")
JSON_PAGE = json.dumps({"meta": {"api-version": "1.0"}, "files": [{"filename": "foo-1.tar.gz", "url": "foo-1.tar.gz"}]})
AS_JSON = Answer(200, JSON_PAGE.encode(), {"Content-Type": JSON_TYPE})


@pytest.fixture
def server():
    with loopback_server() as running:
        yield running


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    return {"HOME": str(tmp_path)}


class Waits(list):
    """Waits that take no time, kept."""

    async def __call__(self, seconds):
        self.append(seconds)


def with_index(use, environment, choice=CHOICE, **options):
    async def run():
        async with HttpPackageIndex(choice, environment, **options) as index:
            return await use(index)

    return asyncio.run(run())


def page(server, environment, project="foo", **options):
    return with_index(lambda index: index.fetch_page(f"{server.url}/simple/", project), environment, **options)


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_a_page_is_asked_for_under_the_normalised_name_preferring_json(server, home):
    server.answers["/simple/foo-bar/"] = [AS_JSON]
    found = page(server, home, "Foo.Bar")
    assert (found.content, found.content_type) == (JSON_PAGE.encode(), JSON_TYPE)
    ((_, headers),) = server.requests
    assert headers["accept"].startswith(JSON_TYPE)
    assert "text/html;q=0.01" in headers["accept"]


def test_html_without_hashes_serves_as_well(server, home):
    html = Answer(200, b'<a href="../../f/foo-1.tar.gz">foo-1.tar.gz</a>', {"Content-Type": "text/html; charset=utf-8"})
    server.answers["/simple/foo/"] = [html]
    found = page(server, home)
    listing = read_page(*found, "foo")
    (candidate,) = listing.candidates
    assert candidate.url == f"{server.url}/f/foo-1.tar.gz"
    assert (candidate.sha256, listing.has_hashes, listing.has_upload_times) == ("", False, False)


def test_redirects_are_followed_and_links_start_where_they_end(server, home):
    server.answers["/simple/foo/"] = [Answer(301, headers={"Location": "/mirror/foo/?token=secret"})]
    server.answers["/mirror/foo/?token=secret"] = [AS_JSON]
    assert page(server, home).url == f"{server.url}/mirror/foo/"


def test_a_project_that_the_index_does_not_have(server, home):
    assert page(server, home) is None


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_name_the_index_and_are_not_tried_again(server, home, status):
    server.answers["/simple/foo/"] = [Answer(status)]
    with pytest.raises(IndexUnusable, match=f"{server.url}/simple/.*{status}") as caught:
        page(server, home)
    assert "netrc" in caught.value.next_step
    assert len(server.requests) == 1


def test_what_may_pass_is_tried_again_with_growing_waits(server, home):
    busy = Answer(429, headers={"Retry-After": "7"})
    server.answers["/simple/foo/"] = [Answer(503), busy, Answer(200, b"x", cut=True), Answer(408), AS_JSON]
    waits = Waits()
    assert page(server, home, sleep=waits).content == JSON_PAGE.encode()
    assert waits == [0.5, 7.0, 2.0, 4.0]


def test_after_five_tries_it_is_the_infrastructure(server, home):
    server.answers["/simple/foo/"] = [Answer(500)]
    with pytest.raises(InfrastructureError, match="500 Internal Server Error"):
        page(server, home, sleep=Waits())
    assert len(server.requests) == 5


def test_an_index_that_is_not_there_is_the_infrastructure(home):
    with loopback_server() as gone:
        url = gone.url
    with pytest.raises(InfrastructureError, match=url):
        with_index(lambda index: index.fetch_page(f"{url}/simple", "foo"), home, sleep=Waits())


def test_many_pages_are_asked_for_at_once(server, home):
    together = threading.Barrier(8, timeout=20)
    names = [f"p{number}" for number in range(8)]
    for name in names:
        server.answers[f"/simple/{name}/"] = [AS_JSON._replace(before=together.wait)]

    async def all_pages(index):
        return await asyncio.gather(*(index.fetch_page(f"{server.url}/simple", name) for name in names))

    assert all(found is not None for found in with_index(all_pages, home))


# --- credentials


def test_configured_credentials_go_to_their_origin_only(server, home):
    with loopback_server() as other:
        other.answers["/simple/foo/"] = [AS_JSON]
        server.answers["/simple/foo/"] = [Answer(302, headers={"Location": f"{other.url}/simple/foo/"})]
        choice = IndexChoice(f"{server.url}/simple", "a test", auth=("ann", "s3cret"))
        found = page(server, home, choice=choice)
        assert server.requests[0][1]["authorization"] == basic("ann", "s3cret")
        assert "authorization" not in other.requests[0][1]
    assert "s3cret" not in repr(found)
    assert "s3cret" not in repr(choice)


@pytest.mark.rule("daily-12")
def test_netrc_serves_hosts_without_configured_credentials(server, home, tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login bob password hush\n")
    server.answers["/simple/foo/"] = [AS_JSON]
    page(server, home)
    assert server.requests[0][1]["authorization"] == basic("bob", "hush")


def test_a_broken_netrc_does_not_matter(server, home, tmp_path):
    (tmp_path / "netrc").write_text("machine\n")
    server.answers["/simple/foo/"] = [AS_JSON]
    page(server, home | {"NETRC": str(tmp_path / "netrc")})
    assert "authorization" not in server.requests[0][1]


@pytest.mark.rule("daily-12")
def test_requests_go_through_the_configured_proxy(server, home):
    server.answers["http://index.invalid/simple/foo/"] = [AS_JSON]
    choice = replace(CHOICE, proxy=server.url)
    with_index(lambda index: index.fetch_page("http://index.invalid/simple", "foo"), home, choice=choice)
    assert server.paths() == ["http://index.invalid/simple/foo/"]


def test_certificates_that_cannot_be_read_are_the_users_fault(home, tmp_path):
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(InputError, match=r"ca\.pem"):
        HttpPackageIndex(replace(CHOICE, ca_bundle=str(tmp_path / "ca.pem")), home)


# --- downloads


def download(server, environment, to, **options):
    return with_index(lambda index: index.download(f"{server.url}/f/foo-1.tar.gz", to), environment, **options)


def test_a_file_comes_whole_with_its_digest_and_as_it_is_stored(server, home, tmp_path):
    content = bytes(range(256)) * 10_000
    as_gzip = {"Content-Encoding": "gzip"}
    server.answers["/f/foo-1.tar.gz"] = [
        Answer(503),
        Answer(200, content[:99], cut=True),
        Answer(200, content, as_gzip),
    ]
    to = tmp_path / "foo.tar.gz"
    assert download(server, home, to, sleep=Waits()) == (hashlib.sha256(content).hexdigest(), len(content))
    assert to.read_bytes() == content
    assert list(tmp_path.iterdir()) == [to]
    assert server.requests[0][1]["accept-encoding"] == "identity"


def test_a_file_that_is_gone_is_the_sources_fault(server, home, tmp_path):
    with pytest.raises(SourceError, match="404"):
        download(server, home, tmp_path / "foo")
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_too_large_leaves_nothing(server, home, tmp_path):
    server.answers["/f/foo-1.tar.gz"] = [Answer(200, b"x" * 101)]
    with pytest.raises(SourceError, match="larger than 100 bytes"):
        download(server, home, tmp_path / "foo", largest_file=100)
    assert not list(tmp_path.iterdir())


# --- folders


@pytest.fixture
def folder(tmp_path):
    project = tmp_path / "index of mine" / "simple" / "foo"
    project.mkdir(parents=True)
    (project / "index.html").write_text('<a href="foo-1.tar.gz">foo-1.tar.gz</a>')
    (project / "foo-1.tar.gz").write_bytes(b"content")
    return project.parent.as_uri()


def test_a_folder_is_an_index(folder, home, tmp_path):
    async def use(index):
        found = await index.fetch_page(folder, "Foo")
        (candidate,) = read_page(*found, "foo").candidates
        return await index.download(candidate.url, tmp_path / "copy"), await index.fetch_page(folder, "other")

    assert with_index(use, home, files=True) == ((hashlib.sha256(b"content").hexdigest(), 7), None)
    assert (tmp_path / "copy").read_bytes() == b"content"


def test_a_folder_that_is_none_and_a_file_that_is_gone(folder, home, tmp_path):
    with pytest.raises(InfrastructureError, match="no folder"):
        with_index(lambda index: index.fetch_page(f"{folder}/nowhere", "foo"), home, files=True)
    with pytest.raises(SourceError, match="no file"):
        with_index(lambda index: index.download(f"{folder}/foo/foo-2.tar.gz", tmp_path / "x"), home, files=True)


def test_files_of_the_coordinators_machine_are_read_only_where_that_is_allowed(folder, home, tmp_path):
    with pytest.raises(InfrastructureError, match="reads no files"):
        with_index(lambda index: index.fetch_page(folder, "foo"), home)
    with pytest.raises(InfrastructureError, match="reads no files"):
        with_index(lambda index: index.download("file:///etc/hosts", tmp_path / "x"), home)


def test_a_folder_without_a_page_lists_its_files(tmp_path, home):
    wheel = tmp_path / "simple" / "leaf" / "leaf-1.0-0-py3-none-any.whl"
    wheel.parent.mkdir(parents=True)
    wheel.write_bytes(b"bytes")
    url = (tmp_path / "simple").as_uri()
    page = with_index(lambda index: index.fetch_page(url, "leaf"), home, files=True)
    listing = read_page(page.content, page.content_type, page.url, "leaf")
    assert [(found.file_name, found.url) for found in listing.candidates] == [(wheel.name, wheel.as_uri())]
    assert with_index(lambda index: index.fetch_page(url, "other"), home, files=True) is None


@pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://h.example/foo-1.tar.gz", "http:///foo-1.tar.gz"])
def test_a_link_that_leads_nowhere_is_not_tried_again(home, tmp_path, url):
    with pytest.raises(IndexUnusable):
        with_index(lambda index: index.download(url, tmp_path / "file"), home, sleep=Waits())


def test_a_redirect_to_a_file_of_this_machine_is_not_followed(server, home, tmp_path):
    server.answers["/foo-1.tar.gz"] = [Answer(302, headers={"Location": "file:///etc/passwd"})]
    with pytest.raises(IndexUnusable):
        with_index(lambda index: index.download(f"{server.url}/foo-1.tar.gz", tmp_path / "file"), home, sleep=Waits())
    assert len(server.requests) == 1
