"""Build environments: a virtual environment with exactly the wheels given, made without any index."""

import asyncio
import os
import shutil
import sysconfig
from collections.abc import Sequence
from importlib.metadata import distributions
from pathlib import Path
from typing import Final, Literal, NamedTuple

from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from wheelfleet_shared.errors import InfrastructureError, InputError

LinkMode = Literal["hardlink", "copy"]
_OFFLINE: Final = ("--offline", "--no-config", "--no-python-downloads", "--quiet", "--color", "never")


class Environment(NamedTuple):
    """A virtual environment; it may be moved or mounted elsewhere. site: where distributions lie in it."""

    folder: Path
    python: Path
    bin: Path
    site: Path


class Uv(NamedTuple):
    """The uv program, and the cache that all environments of an agent share.

    link_mode: hard links are quick, and safe only where builds see environments read-only, since a
    write would reach the cache and so other builds; elsewhere copy.
    """

    program: Path
    cache: Path
    link_mode: LinkMode


def find_uv() -> Path:
    """The uv of this installation, else the one on PATH. Raises InputError when there is none."""
    found = shutil.which("uv", path=sysconfig.get_path("scripts")) or shutil.which("uv")
    if found is None:
        raise InputError("uv is not installed here", "install the agent with its extra: wheelfleet[agent]")
    return Path(found)


async def make_environment(uv: Uv, interpreter: Path, wheels: Sequence[Path], folder: Path) -> Environment:
    """A new environment in ``folder`` holds exactly these wheels, none of them compiled to bytecode.

    uv sees no configuration, no variable and no index of this host. Wheels whose path and content stay
    the same are unpacked only once. Raises InfrastructureError when uv fails or when what is installed
    is not what was asked for. Cost: 0.05 s warm, about 0.3 s cold for five wheels.
    """
    _make_folder(folder)
    options = ("--no-project", "--allow-existing", "--relocatable", "--python", str(interpreter))
    await _uv(uv, folder, "venv", *options, ".")
    environment = _describe(folder)
    if wheels:
        options = ("--no-index", "--no-deps", "--no-build", "--link-mode", uv.link_mode)
        await _uv(uv, folder, "pip", "install", *options, "--python", str(environment.python), *_absolute(wheels))
    _verify(environment, wheels)
    return environment


def moved(environment: Environment, folder: Path) -> Environment:
    """The environment, now in ``folder``, which must not exist."""
    environment.folder.rename(folder)
    return _describe(folder)


def open_environment(folder: Path) -> Environment:
    """The environment that ``make_environment`` left in the folder.

    Raises InfrastructureError where none lies there.
    """
    return _describe(folder)


async def _uv(uv: Uv, folder: Path, *arguments: str) -> None:
    """Run uv in the new environment's folder, where no project or configuration can lie.

    The home and configuration folders that it is told of do not exist.
    """
    nowhere = str(folder / "no-home")
    process = await asyncio.create_subprocess_exec(
        uv.program,
        *(*arguments, *_OFFLINE, "--cache-dir", str(uv.cache)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={"PATH": os.defpath, "HOME": nowhere, "XDG_CONFIG_HOME": nowhere, "XDG_CONFIG_DIRS": nowhere},
        cwd=folder,
        umask=0o022,
    )
    try:
        output, _ = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        said = output.decode("utf-8", "replace").strip()
        raise InfrastructureError(
            f"uv could not make the build environment (exit {process.returncode}): {said}",
            "the attempt is made again; look at the agent's disk and cache if it fails each time",
        )


def _make_folder(folder: Path) -> None:
    """The folder is new. Raises FileExistsError."""
    folder.mkdir(parents=True)


def _absolute(wheels: Sequence[Path]) -> list[str]:
    """Where the wheels lie, whatever the current folder."""
    return [str(wheel.absolute()) for wheel in wheels]


def _describe(folder: Path) -> Environment:
    """Where things lie; uv makes ``lib/python3.11`` or ``lib/pypy3.10``."""
    sites = sorted((folder / "lib").glob("*/site-packages"))
    if len(sites) != 1:
        raise InfrastructureError(f"{folder} is no virtual environment after uv made it", "report this: uv changed")
    return Environment(folder, folder / "bin" / "python", folder / "bin", sites[0])


def _verify(environment: Environment, wheels: Sequence[Path]) -> None:
    """Raises InfrastructureError unless names and versions installed are those of the wheels."""
    wanted = {(str(name), version) for name, version, _, _ in (parse_wheel_filename(wheel.name) for wheel in wheels)}
    installed = {
        (str(canonicalize_name(found.name)), Version(found.version))
        for found in distributions(path=[str(environment.site)])
    }
    if wanted == installed:
        return
    differing = ", ".join(f"{name} {version}" for name, version in sorted(wanted ^ installed, key=str))
    raise InfrastructureError(
        f"the build environment is not what was locked; differing: {differing}",
        "the attempt is made again; clear the agent's cache if it fails each time",
    )
