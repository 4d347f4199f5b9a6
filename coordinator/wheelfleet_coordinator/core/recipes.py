"""From settings and patches to what reaches one node: how it is prepared, how it is built, what it needs."""

from collections.abc import Mapping
from string import Template
from typing import Any, NamedTuple

import msgspec
from packaging.version import Version

from wheelfleet_shared.core.recipe import GIB, BuildRecipe, Needs, PatchFile, PreparationRecipe, SbomPart, SbomRecipe
from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import NodeKey

from .changelog import changelog_of
from .env_template import Entry, reduce_env
from .purl import read_purl, write_purl
from .requirement_files import override_name
from .settings_file import DistributionFile
from .settings_schema import DistributionSettings, PurlSettings, SbomSettings, VariantSettings

_EPOCH = "SOURCE_DATE_EPOCH"


class DownloadSource(NamedTuple):
    """Where a source comes from and what its file is called; url empty: what the index says."""

    url: str
    file_name: str


def env_entries(file: DistributionFile, variant: str) -> list[Entry]:
    """The variables of the distribution, then those of the variant, in the order in which they take effect."""
    settings, lines = file.settings, file.lines
    own = [Entry(name, text, lines.at("env", name)) for name, text in settings.env.items()]
    path = ("variants", variant, "env")
    return own + [Entry(name, text, lines.at(*path, name)) for name, text in settings.variant(variant).env.items()]


def preparation_of(file: DistributionFile, variant: str, patches: tuple[PatchFile, ...]) -> PreparationRecipe:
    """What turns the archive of one version into its patched sdist. Raises InputError for two epochs."""
    settings = file.settings
    return PreparationRecipe(
        patches,
        settings.project_override.update_build_requires,
        settings.project_override.remove_build_requires,
        settings.build_dir,
        epoch_of(file, variant),
    )


def epoch_of(file: DistributionFile, variant: str) -> int | None:
    """The epoch that the settings give a source, as ``epoch`` or as the variable; None: that of the archive.

    A source has one epoch, in its archive as in each hook. Raises InputError where the two differ.
    """
    stated = [entry for entry in env_entries(file, variant) if entry.name == _EPOCH]
    if not stated:
        return file.settings.epoch
    text, place = stated[-1].template, stated[-1].place
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) < 1 << 32):
        raise InputError(
            f"{place}: {_EPOCH} must be whole seconds since 1970, not {text!r}", "write 'epoch: <seconds>'"
        )
    if file.settings.epoch not in {None, int(text)}:
        raise InputError(f"{place}: {_EPOCH} is {text}, but 'epoch' is {file.settings.epoch}", "take one of them away")
    return int(text)


def build_of(file: DistributionFile, variant: str, node: NodeKey, sbom: SbomSettings | None) -> BuildRecipe:
    """What turns the patched sdist of a node into its wheel. Raises InputError for a name that is not defined."""
    settings = file.settings
    env = reduce_env([entry for entry in env_entries(file, variant) if entry.name != _EPOCH], node.version)
    return BuildRecipe(
        env,
        {key: value if isinstance(value, str) else list(value) for key, value in settings.config_settings.items()},
        settings.build_dir,
        settings.network,
        recorded_settings(settings, variant, Version(node.version)),
        None if sbom is None else _sbom(sbom, settings.purl, node),
    )


def recorded_settings(settings: DistributionSettings, variant: str, version: Version) -> dict[str, Any]:
    """What ``fromager-build-settings`` in a wheel says, under the keys of settings files.

    Only what is set, reaches this wheel and is not part of its name: neither other versions and variants
    nor how versions are found or builds are scheduled; a change of those changes no wheel.
    """
    entries = changelog_of(settings.changelog, version)
    of_variant = _recorded_variant(settings.variant(variant))
    recorded: dict[str, Any] = {
        "annotations": settings.annotations,
        "build_dir": "" if settings.build_dir == "." else settings.build_dir,
        "changelog": {version.public: list(entries)} if entries else {},
        "config_settings": settings.config_settings,
        "env": settings.env,
        "purl": settings.purl,
        "project_override": settings.project_override,
        "variants": {variant: of_variant} if of_variant else {},
        "network": settings.network,
        "epoch": settings.epoch,
    }
    plain: dict[str, Any] = msgspec.to_builtins(recorded)
    return {key: value for key, value in plain.items() if value not in (None, "", False, {})}


def _recorded_variant(settings: VariantSettings) -> dict[str, Any]:
    both = {"annotations": settings.annotations, "env": settings.env}
    return {key: value for key, value in both.items() if value}


def needs_of(settings: DistributionSettings) -> Needs:
    """Where and when the node may be built."""
    options = settings.build_options
    return Needs(
        options.cpu_cores_per_job,
        int(options.memory_per_job_gb * GIB),
        options.exclusive_build,
        tuple(sorted(set(settings.requires_labels))),
        settings.requires_sandbox,
    )


def download_of(settings: DistributionSettings, node: NodeKey) -> DownloadSource | None:
    """The source that settings name for a node, templates filled in; None where they name none."""
    download = settings.download_source
    if not download.url and not download.destination_filename:
        return None
    values: Mapping[str, str] = {"version": node.version, "canonicalized_name": node.name}
    url = Template(download.url).substitute(values)
    ending = ".zip" if url.partition("?")[0].partition("#")[0].endswith(".zip") else ".tar.gz"
    name = Template(download.destination_filename).substitute(values)
    return DownloadSource(url, name or archive_name(node, ending))


def archive_name(node: NodeKey, ending: str = ".tar.gz") -> str:
    """What the source of a node is called where nothing else names it."""
    return f"{override_name(node.name)}-{node.version}{ending}"


def _sbom(settings: SbomSettings, purl: PurlSettings, node: NodeKey) -> SbomRecipe:
    name, version = purl.name or node.name, purl.version or node.version
    where = {"repository_url": purl.repository_url or settings.repository_url}
    kind = purl.type or settings.purl_type
    plain = write_purl(kind, name, version, purl.namespace)
    return SbomRecipe(
        f"{settings.namespace}/{node.name}-{node.version}.spdx.json",
        _part(write_purl(kind, name, version, purl.namespace, where)),
        _part(purl.upstream or plain),
        settings.supplier,
        settings.creators,
    )


def _part(purl: str) -> SbomPart:
    _, name, version = read_purl(purl)
    return SbomPart(name, version, purl)
