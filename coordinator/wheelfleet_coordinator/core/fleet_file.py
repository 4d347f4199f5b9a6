"""A fleet in a file: kinds of agents with what they offer, and how long builds take where nothing was measured."""

from fnmatch import fnmatchcase

import msgspec

from wheelfleet_shared.core.events import Expectation
from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import TargetId

_NEXT = (
    "an entry is: [[agents]] targets = [...], count, slots, speed, labels, sandbox; see `wheelfleet simulate --help`"
)


class Kind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``count`` agents that are alike. speed: 2 builds in half the time."""

    targets: tuple[TargetId, ...]
    name: str = ""
    count: int = 1
    slots: int = 1
    speed: float = 1.0
    labels: tuple[str, ...] = ()
    sandbox: str = "standard"

    @property
    def title(self) -> str:
        """Its name, else its targets."""
        return self.name or ", ".join(self.targets)


class Guesses(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Seconds a build of each class, and patterns of the distributions that come out native."""

    pure: float = 10.0
    native: float = 200.0
    natives: tuple[str, ...] = ()


class Fleet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All agents, and the guesses."""

    agents: tuple[Kind, ...]
    seconds: Guesses = Guesses()

    @property
    def targets(self) -> tuple[TargetId, ...]:
        """What is offered, in the order of its first mention."""
        return tuple(dict.fromkeys(target for kind in self.agents for target in kind.targets))

    def expectation(self, name: str) -> Expectation:
        """Whether a distribution comes out pure or native, as far as the guesses tell."""
        return "native" if any(fnmatchcase(name, pattern) for pattern in self.seconds.natives) else "pure"

    def guess(self, expectation: Expectation) -> float:
        """Seconds of a build of its class."""
        return self.seconds.native if expectation == "native" else self.seconds.pure


def read_fleet(text: str, origin: str) -> Fleet:
    """The fleet that a file describes; raises InputError, naming the file, for what cannot be one."""
    try:
        fleet = msgspec.toml.decode(text, type=Fleet)
    except msgspec.DecodeError as error:
        raise InputError(f"{origin}: {error}", _NEXT) from error
    for place, kind in enumerate(fleet.agents, 1):
        if not kind.targets or min(kind.count, kind.slots) < 1 or kind.speed <= 0:
            raise InputError(f"{origin}: entry {place} of agents needs targets, and a count, slots and speed above 0")
    if not fleet.agents:
        raise InputError(f"{origin}: the fleet has no agents", _NEXT)
    return fleet
