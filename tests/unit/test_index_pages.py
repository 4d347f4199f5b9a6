"""Pages of the simple index, of published files."""

import json
from urllib.parse import urljoin

import pytest

from story import Story, sha256_of
from wheelfleet_coordinator.core.index_pages import page_of, project_page, root_page
from wheelfleet_shared.core import events as e
from wheelfleet_shared.names import IndexName

INDEX = IndexName()


def published(*names, **facts):
    story = Story()
    for name in names:
        wheel = e.FileRef(name, sha256_of(name), 10)
        story.publish("==".join(name.split("-")[:2]), wheel, **facts)
    return story


def json_page(story, project):
    return json.loads(page_of(story.world, INDEX, project, "json"))


def test_a_file_has_all_that_installers_ask_for():
    story = published("demo-1.0-0-py3-none-any.whl", requires_python=">=3.8, <4")
    page = json_page(story, "demo")
    (file,) = page["files"]
    sha256 = sha256_of("demo-1.0-0-py3-none-any.whl")
    assert page["meta"] == {"api-version": "1.1"}
    assert page["versions"] == ["1.0"]
    assert file["url"] == f"../../../../../blobs/{sha256[:2]}/{sha256}/demo-1.0-0-py3-none-any.whl"
    assert file["hashes"] == {"sha256": sha256}
    assert set(file["core-metadata"]) == {"sha256"}
    assert "dist-info-metadata" not in file, "pip 22.3 to 23.0 cannot read a table there (PEP 714)"
    assert file["requires-python"] == ">=3.8, <4"
    assert file["upload-time"] == "2023-11-14T22:13:20.375000Z"
    assert file["size"] == 10
    assert file["yanked"] is False


def test_the_html_page_says_the_same_and_is_escaped():
    story = published("demo-1.0-0-py3-none-any.whl", requires_python='>=3.8, <"4"')
    html = page_of(story.world, INDEX, "demo", "html").decode()
    assert 'data-requires-python="&gt;=3.8, &lt;&quot;4&quot;"' in html
    assert 'data-core-metadata="sha256=' in html
    assert "data-dist-info-metadata" not in html
    assert '<meta name="pypi:repository-version" content="1.1">' in html


@pytest.mark.parametrize(("reason", "shown"), [("broken", "broken"), ("", True)])
def test_a_yanked_file_stays_with_its_reason(reason, shown):
    story = published("demo-1.0-0-py3-none-any.whl")
    (file,) = story.world.files
    story.append("file", file, e.WheelYanked(reason), "operator-me")
    assert json_page(story, "demo")["files"][0]["yanked"] == shown
    assert f'data-yanked="{reason}"' in page_of(story.world, INDEX, "demo", "html").decode()


def test_a_withdrawn_file_is_gone_and_its_page_stays():
    story = published("demo-1.0-0-py3-none-any.whl")
    (file,) = story.world.files
    story.append("file", file, e.WheelWithdrawn("wrong"), "operator-me")
    assert json_page(story, "demo")["files"] == []
    assert json.loads(page_of(story.world, INDEX, "", "json"))["projects"] == []


def test_versions_are_in_their_own_order_and_files_in_that_of_their_names():
    story = published("demo-1.10-py3-none-any.whl", "demo-1.9-py3-none-any.whl")
    page = json_page(story, "demo")
    assert page["versions"] == ["1.9", "1.10"]
    assert [file["filename"] for file in page["files"]] == sorted(file["filename"] for file in page["files"])


def test_what_is_accepted_but_not_published_is_not_shown():
    story = Story()
    wheel = e.FileRef("demo-1.0-py3-none-any.whl", sha256_of("x"), 1)
    story.publish("demo==1.0", wheel)
    (file,) = story.world.files.values()
    accepted = type(file)(file.id, status=type(file.status)("accepted"), accepted=file.accepted)
    assert json.loads(project_page(INDEX, "demo", [accepted], "json"))["files"] == []


@pytest.mark.rule("wheel-7")
def test_a_plus_in_a_file_name_is_encoded_in_its_url():
    story = published("demo-1.0+local-py3-none-any.whl")
    assert json_page(story, "demo")["files"][0]["url"].endswith("demo-1.0%2Blocal-py3-none-any.whl")


def test_urls_lead_to_the_blobs_from_the_store_and_from_the_short_address():
    story = published("demo-1.0-py3-none-any.whl")
    url = json_page(story, "demo")["files"][0]["url"]
    below = "blobs/" + url.partition("blobs/")[2]
    store = "http://store.example/bucket/"
    assert urljoin(f"{store}indexes/main/cpu/simple/demo/index.json", url) == store + below
    assert urljoin("http://index.example/main/cpu/simple/demo/", url) == "http://index.example/" + below


def test_unknown_projects_and_indexes_have_no_page():
    story = published("demo-1.0-py3-none-any.whl")
    assert page_of(story.world, INDEX, "other", "json") is None
    assert page_of(story.world, IndexName("other", "cpu"), "", "json") is None


def test_the_root_lists_each_project_once_by_name():
    assert json.loads(root_page(["b", "a", "b"], "json"))["projects"] == [{"name": "a"}, {"name": "b"}]
    assert root_page(["b", "a"], "html") == root_page(["a", "b"], "html")
