"""Files that commands read, here or by URL, and where their answers go."""

import os
import sys
from pathlib import Path

import typer

from wheelfleet_shared.errors import InputError

from ..adapters.requirement_files import fetch_content
from ..adapters.user_configuration import choose_index
from ..core.graph_reading import LinkedGraph, read_linked_graph


def read_input(reference: str) -> bytes:
    """The content of a file or URL; raises InputError where it cannot be had."""
    if "://" in reference:
        choice = choose_index(None, os.environ, prefix=Path(sys.prefix), root=Path("/"))
        return fetch_content(choice, os.environ)(reference)
    try:
        return Path(reference).read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {reference}: {error.strerror}", "correct its name") from error


def read_graph_file(reference: str) -> LinkedGraph:
    """The graph in a file or at a URL; raises InputError, naming it, for what is none."""
    return read_linked_graph(read_input(reference), reference)


def put_text(text: str, output: Path | None) -> None:
    """The text, and nothing but it, is in the file, or on standard output where there is none.

    Raises InputError where the file cannot be written.
    """
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_bytes(text.encode())
    except OSError as error:
        raise InputError(f"cannot write {output}: {error.strerror}", "give another --output") from error


def tell(line: str) -> None:
    """The line is on standard error."""
    typer.echo(line, err=True)
