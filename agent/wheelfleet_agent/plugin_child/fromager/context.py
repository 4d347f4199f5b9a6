"""The ``ctx`` of every override and hook."""

from pathlib import Path
from typing import Any, NoReturn

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from wheelfleet_agent.core.plugin_call import Question
from wheelfleet_agent.plugin_child.unoffered import stand_ins

from .packagesettings import PackageBuildInfo


class WorkContext:
    """The folders of one build and what the settings say of its distribution.

    Folders are the build's own and gone with it; of the wheels and sdists of others nothing is there.
    """

    def __init__(self, question: Question) -> None:
        root = Path(question.root)
        self.question = question
        self.variant = question.variant
        self.work_dir = root / "work-dir"
        self.logs_dir = self.work_dir / "logs"
        self.sdists_repo = root / "sdists-repo"
        self.sdists_downloads = self.sdists_repo / "downloads"
        self.sdists_builds = self.sdists_repo / "builds"
        self.wheels_repo = root / "wheels-repo"
        self.wheels_build_base = self.wheels_build = self.wheels_repo / "build"
        self.wheels_downloads = self.wheels_repo / "downloads"
        self.wheels_prebuilt = self.wheels_repo / "prebuilt"
        self.cleanup = self.cleanup_buildenv = False
        self.network_isolation = not question.network
        for folder in (self.logs_dir, self.sdists_downloads, self.sdists_builds):
            folder.mkdir(parents=True, exist_ok=True)
        for folder in (self.wheels_build, self.wheels_downloads, self.wheels_prebuilt):
            folder.mkdir(parents=True, exist_ok=True)

    def package_build_info(self, package: str | Requirement) -> PackageBuildInfo:
        """The settings of the distribution that is built; those of others do not reach its build."""
        name = package.name if isinstance(package, Requirement) else package
        if canonicalize_name(name) != canonicalize_name(self.question.name):
            raise NotImplementedError(f"the settings of {name} are not offered to a plugin of {self.question.name}")
        return PackageBuildInfo(self.question)

    def __getattr__(self, name: str) -> Any:
        return _refuse("ctx", name)


def _refuse(owner: str, name: str) -> NoReturn:
    if name.startswith("__"):
        raise AttributeError(name)
    raise NotImplementedError(f"{owner}.{name} is not offered to plugins here")


__getattr__ = stand_ins(__name__)
