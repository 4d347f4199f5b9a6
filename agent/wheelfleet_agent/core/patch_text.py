"""What a unified diff says that it will do, read before it is applied, and why it could not be applied."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from wheelfleet_shared.errors import SourceError

from .prepare import Patch

_HUNK: Final = re.compile(rb"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")
_NAMED: Final = (b"--- ", b"+++ ", b"Index: ", b"rename from ", b"rename to ", b"copy from ", b"copy to ")
_LINK: Final = re.compile(
    rb"((new|deleted) file mode|old mode|new mode) 1[26]0000|index [0-9a-f]+\.\.[0-9a-f]+ 1[26]0000"
)
_ESCAPE: Final = re.compile(rb"\\([0-7]{3}|.)")
_LETTERS: Final = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}
_FAILED: Final = re.compile(r"Hunk #(\d+) FAILED at (\d+)( \(different line endings\))?")


class Hunk(NamedTuple):
    """One hunk: the names of its file before and after, its number there from 1, its line in the patch."""

    files: tuple[str, str]
    number: int
    line: int


def read_hunks(patch: Patch) -> tuple[Hunk, ...]:
    """The hunks of a unified diff, as ``diff -u`` and ``git diff`` write them.

    Raises SourceError for a patch that names a file outside the source, makes or changes a symbolic
    link or a submodule, holds binary data, or is no unified diff though it is not empty.
    """
    hunks, names = [], ["", ""]
    number, renames = 0, False
    for line_number, line in _outside_hunks(patch.data):
        if _LINK.match(line):
            raise _unusable(patch, line_number, "it makes, changes or removes a symbolic link or a submodule")
        if line.startswith(b"GIT binary patch"):
            raise _unusable(patch, line_number, "it holds binary data, which patch cannot apply")
        if _HUNK.match(line):
            number += 1
            hunks.append(Hunk((names[0], names[1]), number, line_number))
        renames |= line.startswith((b"rename to ", b"copy to ", b"new mode ", b"new file mode ", b"deleted file mode "))
        for start in _NAMED:
            if line.startswith(start):
                name = _checked_name(patch, line_number, line.removeprefix(start))
                if start in _NAMED[:2]:
                    names[start == b"+++ "], number = name, 0
    if not hunks and not renames and patch.data.strip():
        raise _unusable(patch, 1, "it is no unified diff")
    return tuple(hunks)


def why_not(patch: Patch, hunks: tuple[Hunk, ...], output: str) -> SourceError:
    """The error for a patch that GNU patch (run under LC_ALL=C) could not apply; output: what it said."""
    file, reasons = "", list[str]()
    for line in output.splitlines():
        if line.startswith("patching file "):
            file = line.removeprefix("patching file ").partition(" (renamed from ")[0]
        else:
            reasons.extend(_reasons(line, file, hunks))
    said = "; ".join(reasons) or (output.strip().splitlines() or ["patch failed without a word"])[-1]
    return SourceError(
        f"patch {patch.name} does not apply: {said}",
        "make the patch anew for this version, or put it into a folder with the version that it is for",
    )


def _reasons(line: str, file: str, hunks: tuple[Hunk, ...]) -> Iterator[str]:
    if failed := _FAILED.search(line):
        number = int(failed[1])
        place = next((f" (line {hunk.line} of the patch)" for hunk in hunks if _is(hunk, file, number)), "")
        endings = ": its line endings are others than the file's" if failed[3] else ""
        yield f"{file}: hunk #{number} failed at line {failed[2]}{place}{endings}"
    elif line.startswith("Reversed (or previously applied) patch detected"):
        yield f"{file}: the source has this change already"
    elif found := re.match(r"can't find file to patch at input line (\d+)", line):
        after = int(found[1])
        names = next((hunk.files for hunk in hunks if hunk.line >= after), ("", ""))
        yield f"{names[0] or names[1] or 'its file'} is not in the source (line {after} of the patch)"
    elif found := re.match(r"The next patch would (create|delete) the file (.+),$", line):
        state = "is there already" if found[1] == "create" else "is not in the source"
        yield f"it would {found[1]} {found[2]}, which {state}"
    elif found := re.search(r"malformed patch at line (\d+)", line):
        yield f"it is cut short or broken at its line {found[1]}"
    elif re.search(r"refusing to patch|Not deleting file|dangerous file name", line):
        yield line.strip()


def _is(hunk: Hunk, file: str, number: int) -> bool:
    return hunk.number == number and file in {name.partition("/")[2] for name in hunk.files}


def _outside_hunks(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and text of the lines that are no content of a hunk, among them those that begin one."""
    old = new = 0
    for number, line in enumerate(data.split(b"\n"), 1):
        if old > 0 or new > 0:
            old -= line[:1] in {b" ", b"-", b"", b"\r"}
            new -= line[:1] in {b" ", b"+", b"", b"\r"}
            if line[:1] in {b" ", b"-", b"+", b"", b"\r", b"\\"}:
                continue
            old = new = 0
        if begins := _HUNK.match(line):
            old, new = int(begins[1] or 1), int(begins[2] or 1)
        yield number, line.rstrip(b"\r")


def _checked_name(patch: Patch, number: int, text: bytes) -> str:
    """The name of a file as the patch states it. Raises SourceError where it may leave the source."""
    name = _unquoted(text).decode("utf-8", "surrogateescape")
    if name != "/dev/null" and (name.startswith("/") or ".." in name.split("/")):
        raise _unusable(patch, number, f"it names {name!r}, which is outside the source")
    return name


def _unquoted(text: bytes) -> bytes:
    """A name without its time stamp, and without the quotes that git puts around unusual ones."""
    if not text.startswith(b'"'):
        return text.partition(b"\t")[0]
    inner = text[1:].rpartition(b'"')[0]
    return _ESCAPE.sub(lambda found: _letter(found[1]), inner)


def _letter(code: bytes) -> bytes:
    return bytes([int(code, 8) & 0xFF]) if len(code) == 3 else _LETTERS.get(code, code)


def _unusable(patch: Patch, line: int, why: str) -> SourceError:
    return SourceError(
        f"patch {patch.name} cannot be used: line {line}: {why}",
        "make it with `git diff` or `diff -ru` inside the source, of plain files only",
    )
