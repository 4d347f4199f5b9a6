"""The output of a process, cut into lines and bounded."""

from collections import deque
from collections.abc import Callable
from typing import Final

from .processes import LogSink

LIMIT: Final = 64 * 1024 * 1024
"""Bytes of output that are kept of one process."""
TAIL_LINES: Final = 200
_LONGEST_LINE: Final = 64 * 1024
_TAIL_WIDTH: Final = 2_000


class Output:
    """Passes whole lines on to ``write``, at most ``limit`` bytes; the tail is that of all output."""

    def __init__(self, write: Callable[[bytes], None], limit: int = LIMIT) -> None:
        self._write = write
        self._room = limit
        self._limit = limit
        self._partial = b""
        self._tail: deque[bytes] = deque(maxlen=TAIL_LINES)

    @property
    def tail(self) -> tuple[str, ...]:
        """The last lines, oldest first, without line ends; long ones are cut."""
        return tuple(line.decode("utf-8", "replace") for line in self._tail)

    def feed(self, chunk: bytes) -> None:
        """Take a chunk; what does not end a line yet is held back, up to 64 KiB."""
        data = self._partial + chunk
        cut = data.rfind(b"\n") + 1
        if not cut and len(data) >= _LONGEST_LINE:
            cut = len(data)
        self._partial = data[cut:]
        if cut:
            self._pass_on(data[:cut])

    def close(self) -> None:
        """Pass on what is held back, as a line."""
        if self._partial:
            self._pass_on(self._partial + b"\n")
        self._partial = b""

    def _pass_on(self, lines: bytes) -> None:
        self._tail.extend(line[:_TAIL_WIDTH] for line in lines.splitlines()[-TAIL_LINES:])
        if self._room <= 0:
            return
        self._write(lines[: self._room])
        self._room -= len(lines)
        if self._room <= 0:
            self._write(f"\n[the log ends here: it reached {self._limit} bytes]\n".encode())


class Remembering:
    """A log sink that passes on what it is given and remembers the last lines of it."""

    def __init__(self, below: LogSink) -> None:
        self._below = below
        self._tail: deque[bytes] = deque(maxlen=TAIL_LINES)

    @property
    def tail(self) -> tuple[str, ...]:
        """The last lines, oldest first, without line ends; long ones are cut."""
        return tuple(line.decode("utf-8", "replace") for line in self._tail)

    def write(self, data: bytes) -> None:
        """Pass whole lines on."""
        self._tail.extend(line[:_TAIL_WIDTH] for line in data.splitlines()[-TAIL_LINES:])
        self._below.write(data)
