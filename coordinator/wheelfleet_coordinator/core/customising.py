"""All that a user brings to change how distributions are made, read for one variant.

Values in, values out: the same bytes give the same recipes on every coordinator.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, NamedTuple, TypeVar

from msgspec.structs import replace
from packaging.utils import canonicalize_name
from packaging.version import Version

from wheelfleet_shared.core.bundle import Customisation
from wheelfleet_shared.core.events import Expectation
from wheelfleet_shared.core.plugins import BUILD, CHOICE, PREPARATION, HooksRecipe
from wheelfleet_shared.core.recipe import NodeRecipe, encode_recipe, recipe_digest
from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import Distribution, NodeKey

from .changelog import build_tag, tag_in_names
from .env_template import check_template, reduce_env
from .patch_files import Patches, read_patches
from .plugin_files import NO_PLUGINS, Plugged, Plugins, read_plugins
from .recipes import (
    DownloadSource,
    build_of,
    download_of,
    env_entries,
    epoch_of,
    needs_of,
    preparation_of,
    recorded_settings,
)
from .settings_file import DistributionFile, GlobalFile, distribution_of, read_distribution, read_global
from .settings_schema import DistributionSettings, GitOptions, ResolverSettings, VariantSettings
from .yaml_reading import Lines

GLOBAL: Final = "settings.yaml"
FOLDER: Final = "settings/"
_NO_TAG: Final = frozenset({"", "0"})
_NOTHING: Final = DistributionFile(DistributionSettings(), Lines("", {}))
_EXPECTATIONS: Final[dict[str, Expectation]] = {"native": "native", "pure": "pure", "open": "open"}
Read = TypeVar("Read")


class Recipe(NamedTuple):
    """A node's recipe, and the two texts whose digests it holds; a text is empty where nothing is set."""

    node: NodeRecipe
    preparation: bytes
    build: bytes


class Customised(NamedTuple):
    """Settings, patches and plugins, read for one variant; warnings name what in them has no effect."""

    variant: str
    common: GlobalFile
    files: Mapping[Distribution, DistributionFile]
    patches: Patches
    warnings: tuple[str, ...] = ()
    plugins: Plugins = NO_PLUGINS

    @classmethod
    def parse(cls, customisation: Customisation, origin: str = "") -> "Customised":
        """The customisation, checked. origin: the folder that its files came from, for messages.

        Raises InputError with file and line of each file's first fault: text that is no YAML, unknown or
        doubled keys, values of the wrong kind, templates that read what is not defined for this variant.
        """
        prefix = f"{origin.rstrip('/')}/" if origin else ""
        given, faults = customisation.files, list[InputError]()
        common = _kept(faults, lambda: read_global(given.get(GLOBAL, b""), prefix + GLOBAL))
        files = _read_files(given, customisation.variant, prefix, faults)
        patches = _kept(faults, lambda: read_patches(given, prefix))
        plugins = _kept(faults, lambda: read_plugins(given, prefix, *_tag_hook(common)))
        if common is None or patches is None or plugins is None or faults:
            raise _joined(faults)
        warnings = [*common.warnings, *(text for file in files.values() for text in file.warnings), *patches.warnings]
        warnings += [*plugins.warnings, *_unread(given, prefix)]
        return cls(customisation.variant, common, files, patches, tuple(warnings), plugins)

    def of_index_alone(self) -> "Customised":
        """The same, but that everything comes from the index of the run, whatever servers and URLs settings name."""
        files = {name: file._replace(settings=_without_servers(file.settings)) for name, file in self.files.items()}
        return self._replace(files=files, plugins=self.plugins.without(CHOICE))

    def settings_of(self, name: str) -> DistributionSettings:
        """The settings of a distribution; the default ones where it has none."""
        return self._file(name).settings

    def recipe_of(self, node: NodeKey, *, prebuilt: bool = False) -> Recipe:
        """What reaches one node. Of a prebuilt one nothing but hooks does: its wheel comes as it is.

        prebuilt: a saved order says so, whatever settings say.
        """
        file, version = self._file(node.name), Version(node.version)
        hooks = recipe_digest(self.hooks_of(node, prebuilt=prebuilt))
        if prebuilt or self.pre_built(node.name):
            return Recipe(NodeRecipe(build_tag="", needs=needs_of(file.settings), hooks=hooks), b"", b"")
        patches = self.patches.of(node.name, version, self.variant)
        plugged, tag = self._plugged(node), self.build_tag_of(node)
        preparing = preparation_of(file, self.variant, patches)
        building = build_of(file, self.variant, node, self.common.settings.sbom)
        preparation = encode_recipe(replace(preparing, plugin=plugged.override(PREPARATION)))
        hook = plugged.tag_hook() if tag not in _NO_TAG else None
        build = encode_recipe(replace(building, plugin=plugged.override(BUILD), tag_hook=hook))
        digests = recipe_digest(preparation), recipe_digest(build)
        return Recipe(NodeRecipe(*digests, tag, needs_of(file.settings), hooks), preparation, build)

    def hooks_of(self, node: NodeKey, *, prebuilt: bool = False) -> bytes:
        """What is called once the wheel of the node is there, as its recipe; empty where nothing is."""
        plugged = self._plugged(node)
        if prebuilt or self.pre_built(node.name):
            return encode_recipe(HooksRecipe((), plugged.hooks("post_bootstrap"), plugged.hooks("prebuilt_wheel")))
        return encode_recipe(HooksRecipe(plugged.hooks("post_build"), plugged.hooks("post_bootstrap")))

    def choice_fault(self, name: str) -> str:
        """Why the versions or the source of a distribution cannot be had as its plugin says; empty where they can.

        What settings say in their place is enough: then the plugin is not needed.
        """
        if self.pre_built(name):
            return ""
        settings = self.settings_of(name)
        stated = {
            "download_source": settings.download_source.url,
            "get_resolver_provider": settings.resolver_dist.sdist_server_url,
        }
        plugged = self.plugins.functions_of(canonicalize_name(name), CHOICE)
        return ", ".join(function for function in plugged if not stated[function])

    def _plugged(self, node: NodeKey) -> Plugged:
        file = self._file(node.name)
        recorded = recorded_settings(file.settings, self.variant, Version(node.version))
        return Plugged(self.plugins, canonicalize_name(node.name), self.variant, recorded, file.settings.network)

    def build_tag_of(self, node: NodeKey) -> str:
        """The build tag as it stands in the name of the node's wheel, before a hook adds to it; empty for none."""
        settings, pre_built = self.settings_of(node.name), self.pre_built(node.name)
        of_variant = self.common.settings.changelog.get(self.variant, ())
        tag = build_tag(of_variant, settings.changelog, Version(node.version), pre_built=pre_built)
        return tag_in_names(tag, pre_built=pre_built)

    @property
    def build_tag_hook(self) -> str:
        """``module:function`` that adds to the build tags of wheels that have a changelog; empty for none."""
        return self.common.settings.wheels.build_tag_hook

    def expectation_of(self, name: str) -> Expectation | None:
        """What the settings expect of wheels; None where upstream's own wheels decide."""
        return _EXPECTATIONS.get(self.settings_of(name).expect)

    def pre_built(self, name: str) -> bool:
        """Whether the wheel is taken as it is published, not built."""
        return self._variant(name).pre_built

    def wheel_server_url(self, name: str) -> str:
        """The one index that prebuilt wheels come from; empty for the usual ones."""
        return self._variant(name).wheel_server_url

    def resolver_of(self, name: str) -> ResolverSettings:
        """Where and among what the versions are found."""
        return self.settings_of(name).resolver_dist

    def download_source_of(self, node: NodeKey) -> DownloadSource | None:
        """The source that the settings name, or None: what the index says. A prebuilt node has none."""
        return None if self.pre_built(node.name) else download_of(self.settings_of(node.name), node)

    def git_options(self, name: str) -> GitOptions:
        """Which submodules are cloned with a source from git."""
        return self.settings_of(name).git_options

    def warnings_of(self, node: NodeKey) -> tuple[str, ...]:
        """What the user should know about one node: patches exist, but for other versions only."""
        return () if self.pre_built(node.name) else self.patches.missed(node.name, Version(node.version), self.variant)

    def customised(self) -> frozenset[Distribution]:
        """All distributions with settings, patches or a plugin."""
        named = {*self.patches.by_name, *self.plugins.overrides}
        return frozenset(self.files) | {canonicalize_name(name) for name in named}

    def _file(self, name: str) -> DistributionFile:
        return self.files.get(canonicalize_name(name), _NOTHING)

    def _variant(self, name: str) -> VariantSettings:
        return self.settings_of(name).variant(self.variant)


def _tag_hook(common: GlobalFile | None) -> tuple[str, str]:
    """The function that settings name, and where they do."""
    if common is None:
        return "", ""
    return common.settings.wheels.build_tag_hook, common.lines.at("wheels", "build_tag_hook")


def _without_servers(settings: DistributionSettings) -> DistributionSettings:
    return replace(
        settings,
        resolver_dist=replace(settings.resolver_dist, sdist_server_url=""),
        download_source=replace(settings.download_source, url=""),
        variants={name: replace(variant, wheel_server_url="") for name, variant in settings.variants.items()},
    )


def _read_files(
    given: Mapping[str, bytes], variant: str, prefix: str, faults: list[InputError]
) -> dict[Distribution, DistributionFile]:
    """The settings of each distribution; what cannot be used is added to faults."""
    files = dict[Distribution, DistributionFile]()
    for path in sorted(given):
        if not _is_settings(path):
            continue
        read = _kept(faults, partial(_read_file, given[path], path, variant, prefix))
        if read is None:
            continue
        name, file = read
        if name in files:
            both = f"{files[name].lines.file} and {prefix}{path}"
            faults.append(InputError(f"{both} are both about {name}", "put them into one file"))
        files[name] = file
    return files


def _read_file(data: bytes, path: str, variant: str, prefix: str) -> tuple[Distribution, DistributionFile]:
    name = distribution_of(path.removeprefix(FOLDER), prefix + path)
    file = read_distribution(data, prefix + path)
    for other in file.settings.variants:
        for entry in env_entries(file, other):
            check_template(entry)
    reduce_env(env_entries(file, variant), "0")
    epoch_of(file, variant)
    return name, file


def _is_settings(path: str) -> bool:
    return path.startswith(FOLDER) and path.endswith(".yaml") and path.count("/") == 1


def _unread(given: Mapping[str, bytes], prefix: str) -> list[str]:
    """A warning for each file that looks like settings, and is none."""
    looks = [path for path in sorted(given) if path.endswith((".yaml", ".yml")) and not path.startswith("plugins/")]
    return [
        f"{prefix}{path} is not read: settings are {GLOBAL} and {FOLDER}<name>.yaml"
        for path in looks
        if path != GLOBAL and not _is_settings(path)
    ]


def _kept(faults: list[InputError], read: Callable[[], Read]) -> Read | None:
    """What was read; None where it is added to the faults."""
    try:
        return read()
    except InputError as error:
        faults.append(error)
        return None


def _joined(faults: list[InputError]) -> InputError:
    """One error that says all; a single one as it is."""
    if len(faults) == 1:
        return faults[0]
    return InputError("\n".join(fault.what for fault in faults), faults[0].next_step)
