"""What is wrong with a folder of overrides: text that cannot be used, names that nothing is found under."""

from collections.abc import Iterator, Mapping

import msgspec
from packaging.utils import canonicalize_name

from wheelfleet_shared.core.bundle import Customisation
from wheelfleet_shared.errors import InputError

from .customising import FOLDER, Customised
from .plugin_lint import PluginFinding, lint_plugins
from .requirement_files import override_name


class OverrideLint(msgspec.Struct, frozen=True):
    """errors: what cannot be used, or is never found. warnings: what has no effect. plugins: function by function."""

    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    plugins: tuple[PluginFinding, ...] = ()

    @property
    def faults(self) -> int:
        """How many things are wrong; functions of plugins that fail are among them."""
        return len(self.errors) + sum(finding.verdict == "fails" for finding in self.plugins)


def lint_overrides(customisation: Customisation, origin: str = "overrides") -> OverrideLint:
    """All findings; raises nothing for what a user may write."""
    named = tuple(_misnamed(customisation.files, f"{origin}/"))
    try:
        read = Customised.parse(customisation, origin)
    except InputError as error:
        return OverrideLint((*named, *error.what.splitlines()))
    never = {*read.patches.warnings, *read.plugins.warnings}
    errors = (*named, *(text for text in read.warnings if text in never))
    warnings = tuple(text for text in read.warnings if text not in never)
    return OverrideLint(errors, warnings, tuple(lint_plugins(read)))


def _misnamed(files: Mapping[str, bytes], origin: str) -> Iterator[str]:
    """Settings that fromager does not find under the names that they have; for us any spelling will do."""
    for path in sorted(files):
        if not path.startswith(FOLDER) or path.count("/") != 1:
            continue
        stem, dot, suffix = path.removeprefix(FOLDER).partition(".")
        wanted = override_name(canonicalize_name(stem))
        if (dot, suffix) != (".", "yaml") or stem != wanted:
            yield f"{origin}{path} should be {origin}{FOLDER}{wanted}.yaml"
