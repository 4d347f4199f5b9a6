"""Which form of an index page a client gets, by its Accept header (RFC 9110 §12.5.1, PEP 691)."""

from typing import Final, NamedTuple

from wheelfleet_shared.core.keys import PageForm

from .index_pages import HTML_TYPE, JSON_TYPE

_HTML: Final = "text/html"


class Choice(NamedTuple):
    """The form, and the content type that names it as the client asked for it."""

    form: PageForm
    content_type: str


_OFFERS: Final = {
    JSON_TYPE: Choice("json", JSON_TYPE),
    "application/vnd.pypi.simple.latest+json": Choice("json", JSON_TYPE),
    HTML_TYPE: Choice("html", HTML_TYPE),
    "application/vnd.pypi.simple.latest+html": Choice("html", HTML_TYPE),
    _HTML: Choice("html", "text/html; charset=utf-8"),
}
"""Media type → answer; of equally wanted ones the first is given."""
_ANY: Final = {"*/*": _OFFERS[_HTML], "text/*": _OFFERS[_HTML], "application/*": _OFFERS[JSON_TYPE]}


def choose_form(accept: str) -> Choice | None:
    """The form that the client prefers; HTML where it does not care, None where it wants neither."""
    wanted = _qualities(accept or "*/*")
    for offers in (_OFFERS, _ANY):
        best = max(offers, key=lambda kind: wanted.get(kind, 0.0))
        if wanted.get(best, 0.0) > 0:
            return offers[best]
    return None


def _qualities(accept: str) -> dict[str, float]:
    """Media type → q; what cannot be read is left out."""
    found: dict[str, float] = {}
    for entry in accept.lower().split(","):
        kind, *parameters = (part.strip() for part in entry.split(";"))
        quality = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        try:
            found[kind] = float(quality)
        except ValueError:
            continue
    return found
