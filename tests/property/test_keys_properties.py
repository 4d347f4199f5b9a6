"""Relative URLs lead back to their key, for any file name and any place the store is mounted at."""

from urllib.parse import quote, urljoin

from hypothesis import given
from hypothesis import strategies as st

from wheelfleet_shared.core import keys
from wheelfleet_shared.names import IndexName, Sha256

TOKENS = st.from_regex(r"[a-z0-9][a-z0-9-]{0,8}", fullmatch=True)
FILE_NAMES = st.text(min_size=1, max_size=20).filter(
    lambda name: name.isprintable() and "/" not in name and name not in {".", ".."}
)
DIGESTS = st.binary(min_size=32, max_size=32).map(lambda data: Sha256(data.hex()))


@given(TOKENS, TOKENS, TOKENS, DIGESTS, FILE_NAMES, st.sampled_from(["", "mounted/below/"]))
def test_a_relative_url_resolves_to_the_key_it_was_made_for(collection, variant, project, sha256, name, mount):
    page = keys.project_page_key(IndexName(collection, variant), project, "html")
    blob = keys.blob_key(sha256, name)
    base = f"http://store.test/{mount}"
    assert urljoin(base + page, keys.relative_url(page, blob)) == base + quote(blob)
