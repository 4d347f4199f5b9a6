"""Texts of strangers, made safe to show on a terminal."""

import re
from typing import Final

_COMMANDS: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What terminals obey rather than show, but for line ends and tabs; and marks that turn the order of letters."""


def printable(text: str) -> str:
    r"""The text with each character that terminals obey written as its escape, as in ``\x1b``.

    Log lines of a build and reasons in an index page are whatever a stranger wrote: they could retitle the
    window, fill the clipboard, or paint over what was said before.
    """
    return _COMMANDS.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
