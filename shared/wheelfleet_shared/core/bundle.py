"""The inputs of a run that are too large for an event, stored by digest before the run is submitted."""

import msgspec

from ..errors import InputError


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of a saved build order: the distribution at a version, and where it comes from.

    requirement, constraint: as the run that made the order had them. sha256: of the source, empty where unknown.
    """

    name: str
    version: str
    source_url: str
    sha256: str = ""
    prebuilt: bool = False
    requirement: str = ""
    constraint: str = ""


class Customisation(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a user brings to change how distributions are made, unread.

    files: content by normal relative name: ``settings.yaml``, ``settings/<override name>.yaml``,
    ``patches/<override name>[-<version>][/<variant>]/<file>.patch``, and what belongs to plugins.
    """

    variant: str = "cpu"
    files: dict[str, bytes] = {}


class RunInputs(msgspec.Struct, frozen=True, omit_defaults=True):
    """constraints: (line, origin) as stated; previous_graph: the text of the file; entries: of a build order."""

    constraints: tuple[tuple[str, str], ...] = ()
    previous_graph: str = ""
    entries: tuple[Entry, ...] = ()
    customisation: Customisation = Customisation()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to store."""
        return not self.constraints and not self.previous_graph and not self.entries and not self.customisation.files


def encode_inputs(inputs: RunInputs) -> bytes:
    """JSON, the same bytes for the same inputs."""
    return msgspec.json.encode(inputs, order="deterministic")


def decode_inputs(data: bytes) -> RunInputs:
    """Raises InputError for anything else."""
    try:
        return msgspec.json.decode(data, type=RunInputs)
    except msgspec.DecodeError as error:
        raise InputError(f"the stored inputs of the run cannot be read: {error}", "submit the run again") from error
