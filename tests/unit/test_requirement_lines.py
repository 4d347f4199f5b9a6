"""Lines of requirement files, as pip reads them and as we refuse them."""

import pytest

from wheelfleet_coordinator.core.requirement_lines import (
    Nested,
    RequirementLine,
    logical_lines,
    parse_line,
    parse_requirement,
)
from wheelfleet_shared.errors import InputError

A, B = "a" * 64, "b" * 64


def parse(text, variables=None):
    return parse_line(text, "r.txt:7", variables or {})


def test_comments_blanks_and_continuations():
    content = "# head\n\nfoo>=1 # why\nbar \\\n  >=2  \\\n  # said\nbaz#not-a-comment\nlast \\\n"
    assert [tuple(line) for line in logical_lines(content)] == [
        (3, "foo>=1"),
        (4, "bar   >=2"),
        (7, "baz#not-a-comment"),
        (8, "last"),
    ]


def test_a_requirement_keeps_extras_and_marker():
    line = parse('Foo[x,a] >= 1 ; python_version>"3"')
    assert line == RequirementLine('Foo[a,x]>=1; python_version > "3"', "r.txt:7")


def test_hashes_belong_to_their_requirement():
    line = parse(f"foo==1 --hash=sha256:{B} --hash sha256:{A.upper()}")
    assert line == RequirementLine("foo==1", "r.txt:7", (A, B))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-r other.txt", Nested("requirements", "other.txt", "r.txt:7")),
        ("-rother.txt", Nested("requirements", "other.txt", "r.txt:7")),
        ("--requirement=other.txt", Nested("requirements", "other.txt", "r.txt:7")),
        ("-c ../c.txt", Nested("constraints", "../c.txt", "r.txt:7")),
        ("--constraint 'with space.txt'", Nested("constraints", "with space.txt", "r.txt:7")),
    ],
)
def test_nested_files(text, expected):
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("-e .", "download_source"),
        ("--editable=git+https://h.example/x", "download_source"),
        ("-i https://u:secret@h.example/simple", "--index-url"),
        ("--extra-index-url https://u:secret@h.example/simple", "--index-url"),
        ("--find-links /wheels", "--index-url"),
        ("--no-binary :all:", "pre_built"),
        ("--pre", "pre-release"),
        ("--unheard-of", "leave it out"),
        ("foo @ https://u:secret@h.example/foo-1.tar.gz", "download_source"),
        ("git+https://u:secret@h.example/foo", "download_source"),
        ("./here", "download_source"),
        ("foo==1 --global-option=x", "config_settings"),
        ("foo==1 --hash=md5:abc", "--hash=sha256:"),
        ("foo==1 --hash", "--hash=sha256:"),
        ("foo==1 --hash='sha256:x", ""),
        ("foo=>1", "name[extra]"),
        ('foo; platform_release > "5"', "sys_platform"),
    ],
)
def test_what_is_refused_names_the_line_and_the_way_out_and_no_secret(text, step):
    with pytest.raises(InputError) as caught:
        parse(text)
    assert caught.value.what.startswith("r.txt:7:")
    assert step in caught.value.next_step
    assert "secret" not in str(caught.value)


def test_variables_are_expanded_where_they_are_set():
    assert parse("-r ${HERE}/x.txt", {"HERE": "/a"}) == Nested("requirements", "/a/x.txt", "r.txt:7")
    assert parse("-r ${THERE}/x.txt") == Nested("requirements", "${THERE}/x.txt", "r.txt:7")


def test_a_marker_may_mention_the_word_in_a_string():
    assert parse_requirement('foo; os_name == "platform_version"', "command line").origin == "command line"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("bad===", "stands no version"),
        ("bad (===) ; python_version > '3'", "stands no version"),
        ("bad>=1,===", "stands no version"),
        ("bad===x.y", "'x.y', which is no version"),
        ("bad===1.*", "which is no version"),
    ],
)
def test_arbitrary_equality_with_what_no_index_has_is_refused_where_it_stands(text, found):
    with pytest.raises(InputError, match=r"r\.txt:7: after === of bad") as refused:
        parse(text)
    assert found in refused.value.what
    assert refused.value.exit_code == 2


def test_arbitrary_equality_with_a_version_is_kept():
    assert parse("good===1.0.post1").text == "good===1.0.post1"
