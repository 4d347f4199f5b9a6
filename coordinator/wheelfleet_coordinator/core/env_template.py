"""Environment variables of settings: fromager's templates, reduced to what each hook has anyway.

A value may hold ``$NAME``, ``${NAME}``, ``${NAME:-default}`` and ``$$``; a default is literal. Names are
``__version__``, variables set before, and those of every hook. What comes out reads the latter only, so
that ``string.Template`` and the variables of the host are all that is needed to fill it in.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from wheelfleet_shared.core.recipe import HOOK_VARIABLES
from wheelfleet_shared.errors import InputError

VERSION: Final = "__version__"
_PIECE: Final = re.compile(
    r"(?P<text>[^$]+)|(?P<escaped>\$\$)|\$(?P<bare>[A-Za-z_][A-Za-z0-9_]*)"
    r"|\$\{(?P<braced>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}"
)
_LONGEST: Final = 128 * 1024
"""Bytes of one variable that Linux passes to a program (MAX_ARG_STRLEN)."""


class Entry(NamedTuple):
    """One variable as it stands in settings; place: file and line."""

    name: str
    template: str
    place: str


class _Piece(NamedTuple):
    """A literal (name empty), or a name with its default."""

    name: str
    text: str | None


def check_template(entry: Entry) -> None:
    """Raises InputError, naming file and line, for what is no template, whatever the names in it are."""
    _pieces(entry)


def reduce_env(
    entries: Iterable[Entry], version: str, known: frozenset[str] = HOOK_VARIABLES
) -> tuple[tuple[str, str], ...]:
    """Name and reduced template of each variable, by name; a later entry of a name wins and may read the earlier.

    Raises InputError, naming file and line, for a name that is not defined there.
    """
    defined = {VERSION: _escaped(version)}
    for entry in entries:
        defined[entry.name] = _reduced(entry, defined, known)
    del defined[VERSION]
    return tuple(sorted(defined.items()))


def _reduced(entry: Entry, defined: Mapping[str, str], known: frozenset[str]) -> str:
    pieces = _pieces(entry)
    defaults = {piece.name: piece.text for piece in reversed(pieces) if piece.name and piece.text is not None}
    texts = []
    for piece in pieces:
        text = piece.text if piece.text is not None else defaults.get(piece.name)
        if piece.name in defined:
            texts.append(defined[piece.name])
        elif piece.name in known:
            texts.append(f"${{{piece.name}}}")
        elif text is not None:
            texts.append(_escaped(text))
        else:
            names = ", ".join(sorted({*defined, *known}))
            raise InputError(
                f"{entry.place}: {entry.name} reads ${piece.name}, which is not defined",
                f"write ${{{piece.name}:-default}}, or set it before; defined are {names}",
            )
    reduced = "".join(texts)
    if len(reduced.encode()) > _LONGEST:
        raise InputError(f"{entry.place}: {entry.name} becomes longer than 128 KiB", "shorten it")
    return reduced


def _pieces(entry: Entry) -> list[_Piece]:
    text = entry.template
    if "$(" in text:
        raise InputError(f"{entry.place}: {entry.name} holds '$(': no shell runs here", "write the value itself")
    pieces, end = [], 0
    for found in _PIECE.finditer(text):
        if found.start() != end:
            break
        end = found.end()
        if "$" in (found["default"] or ""):
            break
        name = found["bare"] or found["braced"] or ""
        pieces.append(_Piece(name, found["default"] if name else found["text"] or "$"))
    else:
        if end == len(text):
            return pieces
    raise InputError(
        f"{entry.place}: {entry.name} = {text[:200]!r} is no template",
        "write $NAME, ${NAME}, ${NAME:-default} with a default without '$' and '}', or $$ for a dollar sign",
    )


def _escaped(text: str) -> str:
    return text.replace("$", "$$")
