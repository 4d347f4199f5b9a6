"""Keys of the object store: where things lie, and how pages point to them."""

import pytest
from packaging.utils import canonicalize_name

from wheelfleet_shared.core import keys
from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import BuildId, IndexName, Sha256

DIGEST = Sha256("ab" + "0" * 62)
WHEEL = "numpy-1.0+local.1-1-cp311-cp311-linux_x86_64.whl"


def test_files_lie_under_their_content_with_the_file_name_last():
    assert keys.blob_key(DIGEST, WHEEL) == f"blobs/ab/{DIGEST}/{WHEEL}"
    assert keys.source_key(DIGEST, "numpy-1.0.tar.gz") == f"sources/ab/{DIGEST}/numpy-1.0.tar.gz"


def test_what_accompanies_a_wheel_lies_beside_it():
    blob = keys.blob_key(DIGEST, WHEEL)
    assert keys.metadata_key(blob) == blob + ".metadata"
    assert keys.provenance_key(blob) == blob + ".provenance"


def test_single_blobs():
    assert keys.bundle_key(DIGEST) == f"bundles/{DIGEST}"
    assert keys.pinned_page_key(DIGEST) == f"pages/{DIGEST}"
    assert keys.log_key(BuildId("b1"), 3) == "logs/b1/3"
    assert keys.staging_key("i1", 7, WHEEL) == f"staging/i1-7/{WHEEL}"


def test_index_pages():
    index = IndexName("main", "cpu")
    assert keys.root_page_key(index, "html") == "indexes/main/cpu/simple/index.html"
    page = keys.project_page_key(index, canonicalize_name("Foo.Bar"), "json")
    assert page == "indexes/main/cpu/simple/foo-bar/index.json"


def test_a_page_points_at_a_wheel_from_its_own_folder():
    page = keys.project_page_key(IndexName(), canonicalize_name("numpy"), "html")
    url = keys.relative_url(page, keys.blob_key(DIGEST, WHEEL))
    assert url == f"../../../../../blobs/ab/{DIGEST}/{WHEEL.replace('+', '%2B')}"


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "a\nb", "a\0b"])
def test_names_that_would_leave_their_folder_are_refused(name):
    for make in (keys.blob_key, keys.source_key):
        with pytest.raises(InputError):
            make(DIGEST, name)
    with pytest.raises(InputError):
        keys.staging_key("i1", 7, name)


def test_only_content_keys_may_be_cached_for_ever():
    content = [keys.blob_key(DIGEST, WHEEL), keys.bundle_key(DIGEST), keys.pinned_page_key(DIGEST)]
    assert {keys.cache_control(key) for key in content} == {keys.IMMUTABLE}
    changing = [keys.root_page_key(IndexName(), "json"), keys.log_key(BuildId("b"), 1), "_meta/x"]
    assert {keys.cache_control(key) for key in changing} == {keys.MUTABLE}
