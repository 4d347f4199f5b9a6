"""What the commands about overrides do."""

from rich.table import Table

from ..adapters.customisation_files import read_customisation
from ..core.override_lint import OverrideLint, lint_overrides
from ..core.plugin_lint import PluginFinding
from .reading import put_text, tell
from .run_commands import print_json
from .screens import console_for
from .settings import Format, Settings


def print_override_lint(settings: Settings, chosen: Format) -> int:
    """0 where nothing is wrong, else 1; the findings are told, each with its file.

    Raises InputError where a place that was named is not there.
    """
    found = lint_overrides(read_customisation(settings.overrides, settings.variant))
    if chosen is Format.JSON:
        print_json(found)
        return 1 if found.faults else 0
    for text in found.warnings:
        tell(f"warning: {text}")
    for text in found.errors:
        tell(f"ERROR: {text}")
    if found.plugins:
        console_for(settings).print(_table(found), soft_wrap=False)
    if found.faults:
        tell(f"Found {found.faults} errors")
        return 1
    put_text("overrides: nothing wrong was found\n", None)
    return 0


def _table(found: OverrideLint) -> Table:
    table = Table("plugin", "function", "here it", "where", "why", box=None, pad_edge=False, header_style="")
    for finding in found.plugins:
        table.add_row(*_row(finding))
    return table


def _row(finding: PluginFinding) -> tuple[str, ...]:
    said = {"works": "is called", "not called": "is not called", "fails": "fails"}[finding.verdict]
    return finding.plugin, finding.point, said, finding.place, "\n".join(finding.reasons)
