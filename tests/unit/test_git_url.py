"""Sources in git, read from URLs and written to them."""

import pytest

from wheelfleet_coordinator.core.git_url import GitSource, read_git_url, with_submodules
from wheelfleet_shared.errors import InputError

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("url", "source"),
    [
        ("git+https://h.test/a/b.git", GitSource("https://h.test/a/b.git")),
        ("git+https://h.test/a/b.git@v1.0", GitSource("https://h.test/a/b.git", "v1.0")),
        ("git+http://h.test:8080/a@release/1.0", GitSource("http://h.test:8080/a", "release/1.0")),
        ("git+file:///srv/a@main", GitSource("file:///srv/a", "main")),
        (f"git+https://h.test/a@{COMMIT}?ref=v1", GitSource("https://h.test/a", COMMIT, (), "v1")),
        ("git+https://h.test/a@v1?submodules=all", GitSource("https://h.test/a", "v1", None)),
        ("git+https://h.test/a?submodule=x%2Fy&submodule=z", GitSource("https://h.test/a", "", ("x/y", "z"))),
    ],
)
def test_a_url_says_where_a_tree_lies_and_is_written_the_same(url: str, source: GitSource):
    assert read_git_url(url) == source
    assert source.url == url


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("git+ssh://h.test/a", "no ssh keys"),
        ("git+ext::sh -c id", "https, http or file"),
        ("git+git://h.test/a", "https, http or file"),
        ("git+https://h.test/", "names no tree"),
        ("git+https://h.test/a?depth=1", "names no tree"),
        ("git+https://h.test/a#egg=a", "names no tree"),
        ("git+https://h.test/a@", "is no tag"),
        ("git+https://h.test/a@--upload-pack=x", "is no tag"),
        ("git+https://h.test/a@a..b", "is no tag"),
    ],
)
def test_what_is_no_tree_that_may_be_fetched_is_refused_with_a_way_out(url: str, word: str):
    with pytest.raises(InputError) as caught:
        read_git_url(url)
    assert word in str(caught.value)


def test_a_pinned_source_remembers_what_was_asked_for():
    source = read_git_url("git+https://h.test/a@v1")
    assert not source.pinned
    pinned = source.at(COMMIT)
    assert pinned.pinned
    assert pinned.at(COMMIT) == pinned
    assert pinned.url == f"git+https://h.test/a@{COMMIT}?ref=v1"
    assert pinned.transport == "https"


def test_settings_add_submodules_where_the_url_says_nothing_of_them():
    assert with_submodules("git+https://h.test/a", every=False, paths=()) == "git+https://h.test/a"
    assert with_submodules("git+https://h.test/a", every=True, paths=()) == "git+https://h.test/a?submodules=all"
    assert with_submodules("git+https://h.test/a", every=True, paths=("x",)) == "git+https://h.test/a?submodule=x"
    own = "git+https://h.test/a?submodule=y"
    assert with_submodules(own, every=True, paths=("x",)) == own
