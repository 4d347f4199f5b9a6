"""The ``build_env`` of overrides: the locked virtual environment of the build."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.version import Version

from wheelfleet_agent.plugin_child.unoffered import stand_ins

from . import external_commands
from .context import WorkContext


class MissingDependency(Exception):
    """What fromager raises for a distribution that is not on its index."""


class BuildEnvironment:
    """The environment; it is read-only, and what it holds was locked before."""

    def __init__(self, *, ctx: WorkContext, req: Requirement, sdist_root_dir: Path) -> None:
        self.path = Path(ctx.question.environment)
        self.req = req
        self.sdist_root_dir = sdist_root_dir

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.path / "bin" / "python3"

    def get_venv_environ(self, template_env: Mapping[str, str] | None = None) -> dict[str, str]:
        """Variables with which programs find the environment first."""
        path = (template_env or {}).get("PATH") or os.environ.get("PATH", os.defpath)
        own = str(self.path / "bin")
        folders = [own, *(folder for folder in path.split(os.pathsep) if folder != own)]
        return {"VIRTUAL_ENV": str(self.path), "PATH": os.pathsep.join(folders), "UV_PYTHON": str(self.python)}

    def run(
        self,
        cmd: Sequence[str],
        *,
        cwd: str | None = None,
        extra_environ: Mapping[str, str] | None = None,
        network_isolation: bool | None = None,
        log_filename: str | None = None,
        stdin: Any = None,
    ) -> str:
        """The program's output; raises subprocess.CalledProcessError where it fails."""
        environ = dict(extra_environ or {})
        environ.update(self.get_venv_environ(environ))
        return external_commands.run(
            cmd,
            cwd=cwd,
            extra_environ=environ,
            network_isolation=bool(network_isolation),
            log_filename=log_filename,
            stdin=stdin,
        )

    def get_sysconfig_path(self, name: str) -> str:
        """``sysconfig.get_path(name)`` of the environment."""
        if not name.isidentifier():
            raise ValueError(f"{name!r} is no name of a path")
        return self.run([str(self.python), "-c", f"import sysconfig; print(sysconfig.get_path('{name}'), end='')"])

    def get_distributions(self) -> Mapping[str, Version]:
        """Name → version of what is installed."""
        code = "import json, importlib.metadata as m; print(json.dumps({d.name: d.version for d in m.distributions()}))"
        found: dict[str, str] = json.loads(self.run([str(self.python), "-c", code]))
        return {name: Version(version) for name, version in sorted(found.items())}

    def install(self, reqs: object) -> None:
        """Nothing can be installed: raises NotImplementedError that says what to do."""
        raise NotImplementedError(
            f"build_env.install({reqs}): environments are locked before a build; "
            "name the requirements in get_build_backend_dependencies or in the settings' project_override"
        )


__getattr__ = stand_ins(__name__)
