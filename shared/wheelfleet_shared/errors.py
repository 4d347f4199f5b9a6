"""Errors that name what failed, whose fault it is and the next step.

The command line turns ``exit_code`` into the process's exit status: 1 builds failed,
2 usage, 3 infrastructure, 4 cancelled.
"""

from typing import ClassVar


class WheelfleetError(Exception):
    """Something failed; ``next_step`` says what the reader can do about it."""

    exit_code: ClassVar[int] = 1
    party: ClassVar[str] = "wheelfleet"

    def __init__(self, what: str, next_step: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.what}\n  next: {self.next_step}" if self.next_step else self.what


class InputError(WheelfleetError):
    """What the user gave cannot be used; nothing was changed."""

    exit_code = 2
    party = "input"


class SourceError(WheelfleetError):
    """The source of a distribution is missing, wrong or hostile."""

    party = "source"


class BackendError(WheelfleetError):
    """A build backend failed on a source that we could prepare."""

    party = "backend"


class PolicyError(WheelfleetError):
    """A result was made but the rules of the collection refuse it."""

    party = "policy"


class InfrastructureError(WheelfleetError):
    """A server, a disk or the network failed; the same work may succeed later."""

    exit_code = 3
    party = "infrastructure"


class CancelledError(WheelfleetError):
    """The work was cancelled on request."""

    exit_code = 4
    party = "input"


class IndexUnusable(InfrastructureError):
    """A package index answers, and would answer the same again: it refuses, or sends what is no page or no file."""


class BlobMissing(WheelfleetError):
    """The store says that there is no such blob."""

    party = "infrastructure"
    exit_code = 3


class NoResponders(InfrastructureError):
    """Nobody serves this subject now: no coordinator is up."""


class RequestTimeout(InfrastructureError):
    """No answer came in time; whether the request was carried out is unknown."""
