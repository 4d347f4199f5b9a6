"""Events as bytes, none larger than the log takes."""

from ..core import codec
from ..core.envelope import Aggregate, Envelope
from ..errors import WheelfleetError

MAX_EVENT = 256 * 1024
"""Bytes of one event with its headers; the largest are resolutions of long lists, some 350 bytes an edge."""
_HEADERS = 1024


def encode_event(aggregate: Aggregate, envelope: Envelope) -> bytes:
    """The bytes to store; raises WheelfleetError where the log would refuse them for their size."""
    data = codec.encode(envelope)
    if len(data) + _HEADERS > MAX_EVENT:
        raise WheelfleetError(
            f"an event {type(envelope.event).__name__} of {aggregate.kind} {aggregate.id} takes {len(data)} bytes,"
            f" more than the {MAX_EVENT - _HEADERS} that the log takes",
            "split the requirement list, or report this as a defect: large values belong into the object store",
        )
    return data
