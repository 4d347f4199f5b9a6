"""What settings files hold: fromager's keys, and ours (expect, network, requires_labels, requires_sandbox, epoch).

Types say how each value is read; a default says what holds where a key is not given.
"""

from typing import Annotated

import msgspec
from packaging.version import Version

from . import settings_values as v

Text = Annotated[str, v.plain_text]
Flag = Annotated[bool, v.flag]
Annotations = dict[Text, Text]
Env = dict[Annotated[str, v.variable_name], Annotated[str, v.variable_text]]
Url = Annotated[str, v.any_url]
PurlType = Annotated[str, v.purl_type]


class WheelSettings(msgspec.Struct, frozen=True):
    """build_tag_hook: ``module:function`` that adds to build tags, or empty."""

    build_tag_hook: Annotated[str, v.function_name] = ""


class SbomSettings(msgspec.Struct, frozen=True):
    """What the SPDX document of each wheel says; namespace: where documents would lie."""

    supplier: Text = "NOASSERTION"
    namespace: Url = "https://spdx.org/spdxdocs"
    creators: tuple[Text, ...] = ()
    purl_type: PurlType = "pypi"
    repository_url: Url = ""


class ExternalCommands(msgspec.Struct, frozen=True):
    """Which of the host's variables builds see: with us none, whatever these say."""

    keep_env: tuple[Annotated[str, v.variable_pattern], ...] = ()
    delete_env: tuple[Annotated[str, v.variable_pattern_or_all], ...] = ()

    def __post_init__(self) -> None:
        """Raises ValueError where the two contradict each other."""
        if "*" in self.delete_env and len(self.delete_env) > 1:
            raise ValueError("lists more beside '*' in delete_env")
        both = set(self.keep_env) & set(self.delete_env)
        if both:
            raise ValueError(f"both keeps and deletes {', '.join(sorted(both))}")


class GlobalSettings(msgspec.Struct, frozen=True):
    """``settings.yaml``. changelog: lines by variant; each counts into the build tag of all its wheels."""

    changelog: dict[Text, tuple[Text, ...]] = {}
    sbom: SbomSettings | None = None
    external_commands: ExternalCommands = ExternalCommands()
    wheels: WheelSettings = WheelSettings()


class PurlSettings(msgspec.Struct, frozen=True, omit_defaults=True):
    """Parts of the purl of a wheel that differ from the usual; upstream: the whole purl of its source."""

    type: PurlType = ""
    namespace: Text = ""
    name: Text = ""
    version: Text = ""
    repository_url: Url = ""
    upstream: Annotated[str, v.whole_purl] = ""


class ResolverSettings(msgspec.Struct, frozen=True):
    """Where and among what versions are found. min_release_age: days, None: that of the run.

    sdist_server_url: empty for the index of the run.
    """

    sdist_server_url: Annotated[str, v.server_url] = ""
    include_sdists: Flag = True
    include_wheels: Flag = False
    ignore_platform: Flag = False
    use_pypi_org_metadata: Flag | None = None
    min_release_age: Annotated[int, v.whole(0, 36_500)] | None = None

    def __post_init__(self) -> None:
        """Raises ValueError where the platform shall be ignored though no wheels are looked at."""
        if self.ignore_platform and not self.include_wheels:
            raise ValueError("has ignore_platform, which needs include_wheels")
        if not self.include_sdists and not self.include_wheels:
            raise ValueError("excludes both sdists and wheels, so nothing is left")


class DownloadSettings(msgspec.Struct, frozen=True):
    """Templates over ``${version}`` and ``${canonicalized_name}``; url empty: what the index says."""

    url: Annotated[str, v.source_url] = ""
    destination_filename: Annotated[str, v.file_name] = ""


class BuildOptions(msgspec.Struct, frozen=True):
    """What each parallel step of a build needs, and whether it must have an agent to itself."""

    build_ext_parallel: Flag = False
    cpu_cores_per_job: Annotated[int, v.whole(1, 100_000)] = 1
    memory_per_job_gb: Annotated[float, v.gibibytes] = 1.0
    exclusive_build: Flag = False


class GitOptions(msgspec.Struct, frozen=True):
    """Which submodules are cloned; paths come before the flag that means all."""

    submodules: Flag = False
    submodule_paths: tuple[Text, ...] = ()


class ProjectOverride(msgspec.Struct, frozen=True, omit_defaults=True):
    """Changes of ``[build-system] requires``; requires_external is only recorded in the wheel."""

    update_build_requires: tuple[Annotated[str, v.requirement], ...] = ()
    remove_build_requires: tuple[Annotated[str, v.distribution], ...] = ()
    requires_external: tuple[Text, ...] = ()


class VariantSettings(msgspec.Struct, frozen=True):
    """What holds in one variant; wheel_server_url: where prebuilt wheels are, empty for the usual places."""

    annotations: Annotations = {}
    env: Env = {}
    wheel_server_url: Annotated[str, v.server_url] = ""
    pre_built: Flag = False


class DistributionSettings(msgspec.Struct, frozen=True):
    """``settings/<override name>.yaml``. epoch: SOURCE_DATE_EPOCH in seconds; expect: empty where upstream decides."""

    annotations: Annotations = {}
    build_dir: Annotated[str, v.folder] = "."
    changelog: dict[Annotated[Version, v.version], tuple[Text, ...]] = {}
    config_settings: dict[Text, Text | tuple[Text, ...]] = {}
    env: Env = {}
    download_source: DownloadSettings = DownloadSettings()
    purl: PurlSettings = PurlSettings()
    resolver_dist: ResolverSettings = ResolverSettings()
    build_options: BuildOptions = BuildOptions()
    git_options: GitOptions = GitOptions()
    project_override: ProjectOverride = ProjectOverride()
    variants: dict[Text, VariantSettings] = {}
    expect: Annotated[str, v.expectation] = ""
    network: Flag = False
    requires_labels: tuple[Annotated[str, v.label], ...] = ()
    requires_sandbox: Annotated[str, v.sandbox_level] = ""
    epoch: Annotated[int, v.whole(0, (1 << 32) - 1)] | None = None

    def variant(self, name: str) -> VariantSettings:
        """The settings of one variant; the default ones where it has none."""
        return self.variants.get(name, VariantSettings())
