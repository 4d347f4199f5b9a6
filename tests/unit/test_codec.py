"""Bytes and subjects of the log."""

import msgspec
import pytest

from event_samples import BUILD, record
from wheelfleet_shared.core import codec
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.envelope import Aggregate, Envelope, Unknown
from wheelfleet_shared.names import Actor

FUTURE = b'{"id":"x","at":1.0,"cause":3,"v":9,"event":{"type":"BuildPainted","colour":"red"}}'


def test_an_event_of_a_later_version_is_kept_byte_for_byte():
    envelope = codec.decode(FUTURE)
    assert envelope.event == Unknown("BuildPainted", b'{"type":"BuildPainted","colour":"red"}')
    assert (envelope.id, envelope.at, envelope.cause, envelope.v) == ("x", 1.0, 3, 9)
    assert msgspec.json.decode(codec.encode(envelope)) == msgspec.json.decode(FUTURE)


@pytest.mark.parametrize("event", [b'{"colour":"red"}', b'"red"', b"[1]", b'{"type":7}'])
def test_an_event_without_a_readable_type_is_unknown(event):
    assert codec.decode(b'{"id":"x","at":1.0,"event":' + event + b"}").event == Unknown("?", event)


def test_a_known_event_with_fields_of_a_wrong_type_is_unknown_too():
    data = b'{"id":"x","at":1.0,"event":{"type":"BuildClaimed","attempt":"one"}}'
    assert codec.decode(data).event == Unknown("BuildClaimed", b'{"type":"BuildClaimed","attempt":"one"}')


@pytest.mark.parametrize("data", [b"", b"no json", b"{}", b"[]", b'{"id":1,"at":1.0,"event":{}}'])
def test_what_is_no_envelope_is_refused_and_no_event(data):
    with pytest.raises(msgspec.DecodeError):
        codec.decode(data)
    assert codec.recorded(1, "log.build.b1.agent-a", data) is None


def test_a_subject_names_aggregate_and_actor():
    aggregate, actor = Aggregate("build", BUILD), Actor("agent-a1")
    subject = codec.subject_of(aggregate, actor)
    assert subject == "log.build.b1.agent-a1"
    assert codec.read_subject(subject) == (aggregate, actor)
    assert codec.aggregate_filter(aggregate) == "log.build.b1.>"


@pytest.mark.parametrize("subject", ["log.build.b1", "log.build.b1.a.b", "blog.build.b1.agent-a", ""])
def test_other_subjects_hold_no_events(subject):
    assert codec.read_subject(subject) is None
    assert codec.recorded(1, subject, codec.encode(Envelope("x", 1.0, e.BuildQueued()))) is None


def test_the_role_is_read_from_the_subject():
    found = codec.recorded(5, "log.build.b1.agent-a1", codec.encode(Envelope("e5", 1005.0, e.BuildQueued())))
    assert found == record(e.BuildQueued(), "agent-a1", sequence=5)
    assert found is not None
    assert found.role == "agent"
