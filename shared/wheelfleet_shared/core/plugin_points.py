"""What plugins are given and may use, by fromager's names: checked against the code that gives it."""

from collections.abc import Mapping
from typing import Final

_SOURCE: Final = frozenset({"ctx", "req", "version", "dist_name", "dist_version", "config_settings"})
_TREE: Final = _SOURCE | {"sdist_root_dir", "build_dir"}
_BUILD: Final = _TREE | {"build_env", "extra_environ"}
_WHEEL: Final = _SOURCE | {"sdist_filename", "wheel_filename"}

ARGUMENTS: Final[Mapping[str, frozenset[str]]] = {
    "prepare_source": _SOURCE | {"source_filename"},
    "get_build_system_dependencies": _TREE,
    "get_build_backend_dependencies": _BUILD,
    "get_build_sdist_dependencies": _BUILD,
    "get_install_dependencies_of_sdist": _BUILD,
    "update_extra_environ": _BUILD,
    "build_sdist": _BUILD,
    "build_wheel": _BUILD,
    "add_extra_metadata_to_wheels": _BUILD | {"dist_info_dir", "wheel_filename"},
    "post_build": _WHEEL,
    "post_bootstrap": _WHEEL,
    "prebuilt_wheel": _WHEEL,
    "build_tag_hook": _BUILD | {"wheel_tags"},
}
"""The arguments by name of each function that is called; one that takes fewer is given fewer."""

OFFERED: Final[Mapping[str, frozenset[str]]] = {
    "build_environment": frozenset({"BuildEnvironment", "MissingDependency"}),
    "context": frozenset({"WorkContext"}),
    "dependencies": frozenset(
        {
            "STUB_PKG_INFO_SUMMARY",
            "default_get_build_backend_dependencies",
            "default_get_build_sdist_dependencies",
            "default_get_build_system_dependencies",
            "default_get_install_dependencies_of_sdist",
            "get_build_backend",
            "get_build_backend_hook_caller",
            "get_pyproject_contents",
            "parse_metadata",
            "pep517_metadata_of_sdist",
        }
    ),
    "external_commands": frozenset({"NetworkIsolationError", "run"}),
    "metrics": frozenset({"timeit"}),
    "overrides": frozenset({"pkgname_to_override_module"}),
    "packagesettings": frozenset({"PackageBuildInfo", "default_update_extra_environ", "get_extra_environ"}),
    "pyproject": frozenset({"apply_project_override"}),
    "requirements_file": frozenset({"RequirementType", "SourceType", "evaluate_marker", "parse_requirements_file"}),
    "sources": frozenset(
        {
            "default_build_sdist",
            "default_prepare_source",
            "ensure_pkg_info",
            "patch_source",
            "pep517_build_sdist",
            "prepare_new_source",
            "unpack_source",
        }
    ),
    "tarballs": frozenset({"tar_reproducible"}),
    "wheels": frozenset(
        {
            "default_add_extra_metadata_to_wheels",
            "default_build_wheel",
            "extract_info_from_wheel_file",
            "pep517_build_wheel",
            "validate_wheel_filename",
        }
    ),
}
"""Module of ``fromager`` → its names that plugins may call; others may be imported and stand in annotations."""

MEMBERS: Final[Mapping[str, frozenset[str]]] = {
    "ctx": frozenset(
        {
            "cleanup",
            "cleanup_buildenv",
            "logs_dir",
            "network_isolation",
            "package_build_info",
            "sdists_builds",
            "sdists_downloads",
            "sdists_repo",
            "variant",
            "wheels_build",
            "wheels_build_base",
            "wheels_downloads",
            "wheels_prebuilt",
            "wheels_repo",
            "work_dir",
        }
    ),
    "build_env": frozenset(
        {
            "get_distributions",
            "get_sysconfig_path",
            "get_venv_environ",
            "path",
            "python",
            "req",
            "run",
            "sdist_root_dir",
        }
    ),
    "package_build_info": frozenset(
        {
            "annotations",
            "build_dir",
            "config_settings",
            "get_changelog",
            "get_extra_environ",
            "has_config",
            "override_module_name",
            "package",
            "parallel_jobs",
            "pre_built",
            "variant",
        }
    ),
}
"""What the objects that plugins are given have."""

LIBRARIES: Final = frozenset({"fromager", "msgspec", "packaging", "pyproject_hooks", "tomlkit"})
"""Modules beside the standard library that every agent has."""
