"""The inputs of a run that are too large for an event, stored by digest before the run is submitted."""

import msgspec

from ..errors import InputError


class RunInputs(msgspec.Struct, frozen=True, omit_defaults=True):
    """constraints: (line, origin) as stated; previous_graph: the text of the file."""

    constraints: tuple[tuple[str, str], ...] = ()
    previous_graph: str = ""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to store."""
        return not self.constraints and not self.previous_graph


def encode_inputs(inputs: RunInputs) -> bytes:
    """JSON, the same bytes for the same inputs."""
    return msgspec.json.encode(inputs, order="deterministic")


def decode_inputs(data: bytes) -> RunInputs:
    """Raises InputError for anything else."""
    try:
        return msgspec.json.decode(data, type=RunInputs)
    except msgspec.DecodeError as error:
        raise InputError(f"the stored inputs of the run cannot be read: {error}", "submit the run again") from error
