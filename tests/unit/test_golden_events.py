"""What was once written to a log can be read for ever: the bytes of every event as first released."""

from pathlib import Path
from typing import get_args

import msgspec
import pytest

from event_samples import SAMPLES
from wheelfleet_shared.core import codec
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.envelope import Envelope

GOLDEN = Path(__file__).with_name("golden")


def envelope_of(event: e.Event) -> Envelope:
    return Envelope("0123456789abcdef", 1_700_000_000.25, event, 41)


def kinds() -> set[type]:
    """Every event of the vocabulary, out of nested unions."""
    found: set[type] = set()
    open_unions: list[object] = [e.Event]
    while open_unions:
        union = open_unions.pop()
        members = get_args(union)
        open_unions.extend(members)
        if not members:
            found.add(union)  # type: ignore[arg-type]
    return found


def test_every_event_has_its_golden_file():
    assert {type(event) for event in SAMPLES} == kinds()
    assert {path.stem for path in GOLDEN.glob("*.json")} == {kind.__name__ for kind in kinds()}


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: type(event).__name__)
def test_an_event_of_the_first_release_still_decodes(event):
    data = (GOLDEN / f"{type(event).__name__}.json").read_bytes().strip()
    assert codec.decode(data) == envelope_of(event)


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: type(event).__name__)
def test_new_fields_have_defaults_and_known_ones_keep_their_names(event):
    was = msgspec.json.decode((GOLDEN / f"{type(event).__name__}.json").read_bytes())["event"]
    now = msgspec.json.decode(codec.encode(envelope_of(event)))["event"]
    assert was.items() <= now.items()
