"""Which form of a page each kind of client gets."""

import pytest

from wheelfleet_coordinator.adapters.http_auth import may_read
from wheelfleet_coordinator.core.negotiation import choose_form

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (f"{JSON}, {HTML}; q=0.1, text/html; q=0.01", JSON),
        (f"{JSON}, {HTML};q=0.2, text/html;q=0.01", JSON),
        (f"{HTML}, {JSON};q=0.5", HTML),
        ("application/vnd.pypi.simple.latest+json", JSON),
        ("application/vnd.pypi.simple.latest+html", HTML),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html; charset=utf-8"),
        ("*/*", "text/html; charset=utf-8"),
        ("", "text/html; charset=utf-8"),
        ("application/*", JSON),
        ("text/html;q=0, application/json;q=what, */*;q=0.1", "text/html; charset=utf-8"),
    ],
)
def test_the_form_is_the_one_that_the_client_prefers(accept, content_type):
    assert choose_form(accept).content_type == content_type


@pytest.mark.parametrize("accept", ["application/vnd.pypi.simple.v2+json", "image/png", f"{JSON};q=0"])
def test_a_client_that_wants_neither_form_gets_none(accept):
    assert choose_form(accept) is None


@pytest.mark.parametrize(
    ("authorization", "allowed"),
    [
        ("Basic YW55Ym9keTpzZWNyZXQ=", True),
        ("basic OnNlY3JldA==", True),
        ("Bearer secret", True),
        ("Bearer other", False),
        ("Basic c2VjcmV0", False),
        ("Basic !!!", False),
        ("Digest secret", False),
        ("", False),
    ],
)
def test_a_token_counts_as_password_of_anybody_or_as_bearer(authorization, allowed):
    assert may_read(authorization, {"secret"}) is allowed
