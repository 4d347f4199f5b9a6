"""The user's overrides, read and checked before anything is queued."""

import typer

from wheelfleet_shared.core.bundle import Customisation

from ..adapters.customisation_files import Overrides, read_customisation
from .settings import Settings


def checked_customisation(settings: Settings) -> Customisation:
    """The overrides as they travel with a run; what in them has no effect is said on standard error.

    Raises InputError with file and line for what cannot be used.
    """
    found = read_customisation(settings.overrides, settings.variant)
    if not found.files:
        return found
    from ..core.customising import Customised  # which reads YAML and templates
    from ..core.plugin_lint import lint_plugins

    usual = settings.overrides == Overrides()
    read = Customised.parse(found, "overrides" if usual else "")
    failing = (finding for finding in lint_plugins(read) if finding.verdict == "fails")
    plugins = (f"{item.place}: {item.point} will fail: {'; '.join(item.reasons)}" for item in failing)
    for warning in (*read.warnings, *plugins):
        typer.echo(f"warning: {warning}", err=True)
    return found
