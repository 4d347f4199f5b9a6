"""Plugins of the user's, as far as they reach one node: which functions, and the source files that they live in.

Names and arguments are fromager's: a module written for it is called here wherever its arguments can be given.
"""

from typing import Any, Final

import msgspec

OVERRIDES_GROUP: Final = "fromager.project_overrides"
"""Entry points named after the distribution whose build a module changes."""
HOOKS_GROUP: Final = "fromager.hooks"
"""Entry points named after the moment at which a function is called, for each distribution."""
TAG_HOOK: Final = "build_tag_hook"
"""No group of entry points: the function that ``wheels.build_tag_hook`` of the settings names."""

PREPARATION: Final = frozenset({"prepare_source", "get_build_system_dependencies"})
"""Overrides that decide what the patched sdist holds and requires."""
BUILD: Final = frozenset(
    {
        "add_extra_metadata_to_wheels",
        "build_sdist",
        "build_wheel",
        "get_build_backend_dependencies",
        "get_build_sdist_dependencies",
        "get_install_dependencies_of_sdist",
        "update_extra_environ",
    }
)
"""Overrides that are called beside the backend, in the build's locked environment."""
CHOICE: Final = frozenset({"download_source", "get_resolver_provider"})
"""Overrides that say which versions there are and where their sources lie; they are not called here."""
NAMES: Final = frozenset({"expected_source_archive_name", "expected_source_directory_name"})
"""Overrides that name files on fromager's disk; sources are found by digest here, so nobody asks."""
OVERRIDES: Final = PREPARATION | BUILD | CHOICE | NAMES
"""The 13 functions that a module of ``fromager.project_overrides`` may have."""
HOOKS: Final = ("post_build", "post_bootstrap", "prebuilt_wheel")
"""The names that entry points of ``fromager.hooks`` may have."""


class Plugin(msgspec.Struct, frozen=True, omit_defaults=True):
    """A module and those of its functions that are called.

    name: of the entry point, for messages. functions: names in the module, in alphabetical order. files:
    content by path below the folder that modules are found in: the module and all it imports of the user's.
    variant, settings: what it may read; settings are JSON-like, under the keys of settings files.
    network: the host's network is reachable.
    """

    name: str
    module: str
    functions: tuple[str, ...] = ()
    files: dict[str, bytes] = {}
    variant: str = "cpu"
    settings: dict[str, Any] = {}
    network: bool = False


class HooksRecipe(msgspec.Struct, frozen=True, omit_defaults=True):
    """The hooks that are called once the wheel of a node is there; no part of what the wheel is."""

    post_build: tuple[Plugin, ...] = ()
    post_bootstrap: tuple[Plugin, ...] = ()
    prebuilt_wheel: tuple[Plugin, ...] = ()
