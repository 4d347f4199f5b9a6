"""Which distributions a user's overrides change, by name and by the means."""

from collections.abc import Iterable
from typing import NamedTuple

from packaging.utils import canonicalize_name

from .customising import Customised


class Overridden(NamedTuple):
    """Normalised names of distributions with a settings file, with patches, with a plugin; and built alone."""

    settings: frozenset[str] = frozenset()
    patches: frozenset[str] = frozenset()
    plugins: frozenset[str] = frozenset()
    exclusive: frozenset[str] = frozenset()

    def changes(self, name: str) -> bool:
        """Whether anything changes how the distribution is built."""
        return name in self.settings or name in self.patches or name in self.plugins


def overridden(customised: Customised, plugins: Iterable[str] = ()) -> Overridden:
    """The names, of settings and patches as read, and of plugins as their entry points are named."""
    return Overridden(
        settings=frozenset(customised.files),
        patches=frozenset(str(canonicalize_name(name)) for name in customised.patches.by_name),
        plugins=frozenset(str(canonicalize_name(name)) for name in plugins),
        exclusive=frozenset(
            name for name in customised.files if customised.settings_of(name).build_options.exclusive_build
        ),
    )
