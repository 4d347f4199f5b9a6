"""Where our own log goes: to standard error, and to the files that were named.

What a command tells of a run it shows by itself; files get that too, so a record that only repeats it
is kept off the terminal.
"""

import logging
import sys
from pathlib import Path
from typing import Final

from wheelfleet_shared.errors import InputError

TOLD: Final = logging.getLogger("wheelfleet")
"""For what the terminal shows by other means."""
_DETAILED: Final = "%(asctime)s %(levelname)s:%(name)s:%(lineno)d: %(message)s"
"""Of files; it is fromager's, since people have programs that read it."""
_TERSE: Final = "%(levelname)s %(name)s: %(message)s"


def set_up_logging(log_file: Path | None, error_log_file: Path | None, log_format: str) -> None:
    """Records go to standard error from WARNING on, everything to the log file, errors to the error file.

    Files are appended to. Raises InputError where one cannot be opened, or the format cannot be.
    """
    root = logging.getLogger()
    root.setLevel(logging.DEBUG if log_file else logging.WARNING)
    for earlier in [handler for handler in root.handlers if isinstance(handler, Console | _File)]:
        root.removeHandler(earlier)
        earlier.close()
    console = Console()
    console.setFormatter(_formatter(log_format or _TERSE))
    root.addHandler(console)
    for path, level in ((log_file, logging.DEBUG), (error_log_file, logging.ERROR)):
        if path is not None:
            root.addHandler(_file(path, level))


def show_more(level: int) -> None:
    """The terminal shows records from this level on; what it showed before it shows still."""
    root = logging.getLogger()
    root.setLevel(min(root.level, level))
    for handler in root.handlers:
        if isinstance(handler, Console):
            handler.setLevel(min(handler.level, level))


class Console(logging.Handler):
    """Standard error, for what is not told there anyway."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        """The record is a line."""
        sys.stderr.write(f"{self.format(record)}\n")

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record says something that the terminal does not show by itself."""
        return record.name != TOLD.name


class _File(logging.FileHandler):
    """A file of ours, so that it can be told from handlers that others added."""


def _file(path: Path, level: int) -> _File:
    try:
        handler = _File(path)
    except OSError as error:
        raise InputError(f"cannot write the log file {path}: {error.strerror}", "give another name") from error
    handler.setLevel(level)
    handler.setFormatter(logging.Formatter(_DETAILED))
    return handler


def _formatter(text: str) -> logging.Formatter:
    try:
        return logging.Formatter(text)
    except ValueError as error:
        raise InputError(f"--log-format {text!r}: {error}", "write it as for Python's logging") from error
