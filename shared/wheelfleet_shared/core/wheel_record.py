"""The RECORD of a wheel: which member has which digest (PEP 376, PEP 427)."""

import base64
import binascii
import csv
import io

import msgspec

SIGNATURES = ("RECORD.jws", "RECORD.p7s")
STRONG = ("sha256", "sha384", "sha512")


class RecordEntry(msgspec.Struct, frozen=True):
    """One line. digest: ``sha256=<urlsafe base64 without padding>`` or empty. size: None if not said."""

    name: str
    digest: str
    size: int | None


def read_record(data: bytes) -> tuple[RecordEntry, ...]:
    """The lines of a RECORD, in order. Raises ValueError naming the line that is none."""
    rows = csv.reader(io.StringIO(data.decode("utf-8"), newline=""))
    try:
        return tuple(_entry(row, number) for number, row in enumerate(rows, 1) if row)
    except csv.Error as error:
        raise ValueError(str(error)) from error


def write_record(entries: list[RecordEntry]) -> bytes:
    """The bytes of a RECORD with these lines, in this order."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows((entry.name, entry.digest, "" if entry.size is None else entry.size) for entry in entries)
    return text.getvalue().encode()


def record_digest(sha256: bytes) -> str:
    """The digest as RECORD writes it, from the 32 bytes of a sha256."""
    return "sha256=" + base64.urlsafe_b64encode(sha256).rstrip(b"=").decode()


def digest_fault(digest: str) -> str:
    """Why a digest cannot be used, or nothing."""
    algorithm, _, value = digest.partition("=")
    if algorithm not in STRONG:
        return f"no digest of sha256 or stronger but {digest!r}"
    try:
        base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    except binascii.Error:
        return f"a digest that is no base64: {digest!r}"
    return ""


def _entry(row: list[str], number: int) -> RecordEntry:
    if len(row) != 3 or not (row[2] == "" or row[2].isdecimal()):
        raise ValueError(f"line {number} is not path, digest, size")
    return RecordEntry(row[0], row[1], int(row[2]) if row[2] else None)
