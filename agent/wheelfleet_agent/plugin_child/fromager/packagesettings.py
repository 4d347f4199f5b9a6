"""What the settings say of the distribution that is built."""

import os
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import Version

from wheelfleet_agent.core.plugin_call import Question
from wheelfleet_agent.plugin_child.unoffered import stand_ins


class PackageBuildInfo:
    """The settings that reach this build, for its variant."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._settings = question.settings
        self._variant = self._settings.get("variants", {}).get(question.variant, {})

    @property
    def package(self) -> str:
        """The normalised name."""
        return canonicalize_name(self._question.name)

    @property
    def override_module_name(self) -> str:
        """The name with underscores."""
        return self.package.replace("-", "_")

    @property
    def variant(self) -> str:
        """Of the run."""
        return self._question.variant

    @property
    def annotations(self) -> dict[str, str]:
        """Of the distribution; those of its variant win."""
        return {**self._settings.get("annotations", {}), **self._variant.get("annotations", {})}

    @property
    def config_settings(self) -> dict[str, str | list[str]]:
        """Of PEP 517."""
        found: dict[str, str | list[str]] = self._settings.get("config_settings", {})
        return found

    @property
    def has_config(self) -> bool:
        """Whether anything is set."""
        return bool(self._settings)

    @property
    def pre_built(self) -> bool:
        """Never: wheels that are taken as they are have no build."""
        return False

    def build_dir(self, sdist_root_dir: Path) -> Path:
        """Where pyproject.toml lies."""
        return sdist_root_dir / self._question.build_dir

    def get_changelog(self, version: Version) -> list[str]:
        """The distribution's own entries for the version."""
        return list(self._settings.get("changelog", {}).get(version.public, ()))

    def parallel_jobs(self) -> int:
        """Processes that this build may use at once."""
        return int(self._question.environ.get("MAX_JOBS", os.cpu_count() or 1))

    def get_extra_environ(self, **_named: object) -> dict[str, str]:
        """The variables of the build's hooks, settings filled in."""
        return dict(self._question.environ)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise NotImplementedError(f"package_build_info().{name} is not offered to plugins here")


def default_update_extra_environ(**_named: object) -> None:
    """Nothing is changed."""


def get_extra_environ(*, ctx: Any, **_named: object) -> dict[str, str]:
    """The variables of the build's hooks, settings filled in."""
    return dict(ctx.question.environ)


__getattr__ = stand_ins(__name__)
