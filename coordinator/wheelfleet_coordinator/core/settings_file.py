"""The text of settings files → settings, with the line of each."""

from typing import Final, NamedTuple

from packaging.utils import InvalidName, canonicalize_name

from wheelfleet_shared.errors import InputError
from wheelfleet_shared.names import Distribution

from .settings_schema import DistributionSettings, GlobalSettings
from .yaml_reading import Lines, read_yaml

LEGACY: Final = frozenset({"pre_built", "packages"})
"""Keys of ``settings.yaml`` that fromager once had, and ignores."""


class GlobalFile(NamedTuple):
    """A read ``settings.yaml``; warnings name what in it has no effect."""

    settings: GlobalSettings
    lines: Lines
    warnings: tuple[str, ...] = ()


class DistributionFile(NamedTuple):
    """A read ``settings/<override name>.yaml``; warnings name what in it has no effect."""

    settings: DistributionSettings
    lines: Lines
    warnings: tuple[str, ...] = ()


def read_global(data: bytes, file: str) -> GlobalFile:
    """The global settings. Raises InputError, naming file and line, for what cannot be used."""
    settings, lines = read_yaml(data, GlobalSettings, file, LEGACY)
    ignored = [
        f"{lines.at(key)}: '{key}' is ignored, as by fromager; write settings/<name>.yaml instead"
        for key in sorted(LEGACY)
        if (key,) in lines.numbers
    ]
    if settings.external_commands.keep_env or settings.external_commands.delete_env:
        ignored.append(
            f"{lines.at('external_commands')}: 'external_commands' has no effect: "
            "builds see none of the host's variables; set what they need with 'env'"
        )
    return GlobalFile(settings, lines, tuple(ignored))


def read_distribution(data: bytes, file: str) -> DistributionFile:
    """The settings of one distribution. Raises InputError, naming file and line, for what cannot be used."""
    settings, lines = read_yaml(data, DistributionSettings, file)
    return DistributionFile(settings, lines, tuple(_without_effect(settings, lines)))


def _without_effect(settings: DistributionSettings, lines: Lines) -> list[str]:
    found = []
    if settings.build_options.build_ext_parallel:
        at = lines.at("build_options", "build_ext_parallel")
        found.append(f"{at}: 'build_options.build_ext_parallel' has no effect, as with fromager")
    if settings.resolver_dist.use_pypi_org_metadata is not None:
        at = lines.at("resolver_dist", "use_pypi_org_metadata")
        found.append(f"{at}: 'resolver_dist.use_pypi_org_metadata' has no effect, as with fromager's own commands")
    for version in settings.changelog:
        if version.local:
            at = lines.at("changelog")
            found.append(f"{at}: the changelog of {version} has no effect: local versions use that of {version.public}")
    return found


def distribution_of(file_name: str, file: str) -> Distribution:
    """The distribution that ``<name>.yaml`` is about. Raises InputError where that is no name."""
    try:
        return canonicalize_name(file_name.removesuffix(".yaml"), validate=True)
    except InvalidName:
        raise InputError(
            f"{file}: {file_name!r} names no distribution", "call the file <name>.yaml, with '_' for '-'"
        ) from None
