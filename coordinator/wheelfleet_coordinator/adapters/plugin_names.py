"""Plugins for single distributions that are installed beside us."""

from importlib.metadata import entry_points
from typing import Final

PLUGIN_GROUP: Final = "fromager.project_overrides"
"""Entry points of such plugins, each named after the distribution that it changes."""


def plugin_names() -> tuple[str, ...]:
    """The names of their entry points; nothing is imported."""
    return tuple(point.name for point in entry_points(group=PLUGIN_GROUP))
