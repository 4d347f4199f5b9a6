"""What events are made of: their common form, and the values that several of them hold."""

from typing import Literal

import msgspec

from ..names import Sha256

Goal = Literal["source", "metadata", "wheel"]


EdgeKind = Literal["toplevel", "build-system", "build-backend", "build-sdist", "install"]


Stage = Literal["toplevel", "build-system", "hook", "install"]


Expectation = Literal["pure", "native", "open"]


FailureKind = Literal["source", "backend", "policy"]


AbortKind = Literal[
    "lost",
    "shutdown",
    "out_of_memory",
    "disk_full",
    "upload",
    "download",
    "cancelled",
    "timeout_total",
    "timeout_silent",
    "sandbox",
]


class EventBase(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag_field="type", tag=True):
    """What all events share: immutable, tagged by class name, defaults left out.

    Not watched by the cycle collector, as nothing that is decoded from bytes can hold itself.
    """


class FileRef(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, order=True):
    """A file by name and content; ``size`` in bytes."""

    file_name: str
    sha256: Sha256
    size: int


class Resources(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What an attempt cost: seconds of wall and CPU, peak memory in bytes, hooks called."""

    wall: float = 0.0
    cpu: float = 0.0
    memory: int = 0
    hooks: int = 0


class Failure(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a build failed, for people: the phase, the line that matters, the end of the log, a hint."""

    kind: FailureKind
    phase: str
    line: str
    tail: tuple[str, ...] = ()
    hint: str = ""
