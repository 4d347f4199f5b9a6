"""Identities: equal only where everything that they stand for is equal."""

import itertools

import pytest

from wheelfleet_shared.names import (
    DIGEST_LENGTH,
    IndexName,
    NodeKey,
    RunId,
    TargetId,
    digest,
    file_id,
    graph_id,
    is_identifier,
    is_sha256,
    page_id,
    source_id,
)


def test_fields_are_kept_apart():
    digests = [digest("s/1", *fields) for fields in (("ab", "c"), ("a", "bc"), ("abc",), ("abc", ""), ())]
    assert len({*digests, digest("t/1", "abc")}) == 6
    assert all(is_identifier(found) and len(found) == DIGEST_LENGTH for found in digests)


def test_a_digest_is_the_same_for_ever():
    assert digest("build/1", "k", "any") == "l3upasgzuf6fitg5gviuckjksqxzu4gz"


def test_ids_of_different_things_differ():
    index, other = IndexName(), IndexName("main", "cuda")
    ids = [
        graph_id(RunId("r1"), TargetId("t")),
        graph_id(RunId("r2"), TargetId("t")),
        file_id(index, "a.whl"),
        file_id(index, "a.whl", 1),
        file_id(other, "a.whl"),
        source_id("sim://a", ""),
        source_id("sim://a", "ab"),
        page_id(index, "a"),
        page_id(other, "a"),
    ]
    assert all(one != two for one, two in itertools.combinations(ids, 2))


@pytest.mark.parametrize(("text", "valid"), [("cp311-linux_x86_64", True), ("", False), ("a.b", False), ("A", False)])
def test_an_identifier_is_one_token_of_a_subject(text, valid):
    assert is_identifier(text) is valid


@pytest.mark.parametrize(("text", "valid"), [("ab" * 32, True), ("AB" * 32, False), ("ab" * 31, False)])
def test_a_sha256_is_in_the_form_of_the_log(text, valid):
    assert is_sha256(text) is valid


def test_names_print_as_people_write_them():
    assert str(IndexName("main", "cpu")) == "main/cpu"
    assert str(NodeKey("pbr", "7.1.3")) == "pbr==7.1.3"
