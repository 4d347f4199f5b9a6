"""JSON as people and fromager write it."""

import msgspec


def indented_json(value: object) -> str:
    """The JSON text of a value, indented by two, without a final newline; equal for equal values.

    Some ten times as fast as the standard library, whose C encoder does not indent.
    """
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
