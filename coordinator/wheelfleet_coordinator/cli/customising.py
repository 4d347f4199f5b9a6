"""The user's overrides, read and checked before anything is queued."""

import typer

from wheelfleet_shared.core.bundle import Customisation

from ..adapters.customisation_files import read_customisation
from .settings import Settings


def checked_customisation(settings: Settings) -> Customisation:
    """The overrides as they travel with a run; what in them has no effect is said on standard error.

    Raises InputError with file and line for what cannot be used.
    """
    found = read_customisation(settings.overrides, settings.variant)
    if not found.files:
        return found
    from ..core.customising import Customised  # which reads YAML and templates

    for warning in Customised.parse(found).warnings:
        typer.echo(f"warning: {warning}", err=True)
    return found
