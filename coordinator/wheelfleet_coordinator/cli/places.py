"""Where outputs go on this machine."""

import os
from pathlib import Path
from typing import NamedTuple

from wheelfleet_shared.errors import InputError

from .settings import Settings


class Places(NamedTuple):
    """Where outputs go."""

    sdists: Path
    wheels: Path
    work: Path


def places_of(settings: Settings) -> Places:
    """The output folders, none of which is a file; raises InputError. Makes nothing."""
    base = settings.output_dir or Path()
    places = Places(
        settings.sdists_repo or base / "sdists-repo",
        settings.wheels_repo or base / "wheels-repo",
        settings.work_dir or base / "work-dir",
    )
    for place in (base, *places):
        existing = next(folder for folder in (place.absolute(), *place.absolute().parents) if folder.exists())
        if not existing.is_dir():
            raise InputError(f"the output folder {place} cannot be: {existing} is a file", "give another --output-dir")
        if not os.access(existing, os.W_OK):
            raise InputError(f"nothing can be written to {existing}", "give another --output-dir")
    return places
