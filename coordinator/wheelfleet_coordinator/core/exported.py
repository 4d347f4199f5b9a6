"""The log as JSON lines: sequence, subject and envelope of each event, exactly as stored."""

import msgspec

from wheelfleet_shared.core import codec
from wheelfleet_shared.core.envelope import Recorded
from wheelfleet_shared.errors import InputError


class _Line(msgspec.Struct, frozen=True):
    sequence: int
    subject: str
    envelope: msgspec.Raw


_decoder = msgspec.json.Decoder(_Line)


def export_line(recorded: Recorded) -> bytes:
    """One line, without its end."""
    subject = codec.subject_of(recorded.aggregate, recorded.actor)
    return msgspec.json.encode(_Line(recorded.sequence, subject, msgspec.Raw(codec.encode(recorded.envelope))))


def import_line(line: bytes, number: int) -> Recorded:
    """The event of one line; raises InputError, naming the line's number, for anything else."""
    try:
        parsed = _decoder.decode(line)
        recorded = codec.recorded(parsed.sequence, parsed.subject, bytes(parsed.envelope))
    except msgspec.DecodeError as error:
        raise InputError(f"line {number} is no exported event: {error}", "give a file that `export` wrote") from error
    if recorded is None:
        raise InputError(f"line {number} holds no event of ours", "give a file that `export` wrote")
    return recorded
