"""An event with what was recorded around it."""

from functools import lru_cache

import msgspec

from ..names import Actor
from .events import Event


class Aggregate(msgspec.Struct, frozen=True, gc=False):
    """A unit of consistency: ``kind`` (build, file, run, graph, source, page, agent, target) and id."""

    kind: str
    id: str


class Unknown(msgspec.Struct, frozen=True, tag=True):
    """An event of a kind this version does not know; kept as it came and skipped by every fold.

    Tagged like an event, so that one decoder makes the envelope whole.
    """

    kind: str
    raw: bytes


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """What is stored as one message of the log.

    id: random, made by the writer; the message id. at: seconds since the Unix epoch, UTC, by the
    writer's clock, for people only. cause: the sequence of the event that led to this one, 0 for
    none. v: the version of the event's schema.
    """

    id: str
    at: float
    event: Event | Unknown
    cause: int = 0
    v: int = 1


@lru_cache(maxsize=1 << 12)
def role_of(actor: str) -> str:
    """The role that an actor's name begins with: coordinator, agent or operator, if it is an actor's name."""
    return actor.partition("-")[0]


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """An event in its place in the log; the actor is read from the subject, since permissions are given on it."""

    sequence: int
    aggregate: Aggregate
    actor: Actor
    envelope: Envelope

    @property
    def event(self) -> Event | Unknown:
        """The event itself."""
        return self.envelope.event

    @property
    def role(self) -> str:
        """The role of the actor: coordinator, agent or operator."""
        return role_of(self.actor)
