"""Bytecode of the wheels that build environments are made of, compiled once for all environments of an interpreter.

Environments are read-only for hooks, so each hook would compile its backend anew, which is half of what a
small build costs. It is never taken from a hook, which could leave anything: modules are compiled by
``compile_modules`` alone, in the sandbox, and Python uses what it left only for exactly the source it came from.
"""

import asyncio
import contextlib
import json
import os
import secrets
import shutil
from collections import Counter
from collections.abc import Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Final

from packaging.utils import canonicalize_name

from wheelfleet_shared.names import Sha256

from ..core.processes import Limits
from ..core.sandbox_plan import Confinement, Mount, Sandbox, confine, inside
from .build_folder import BuildFolder
from .environment import Environment, LinkMode
from .run_process import run

_SCRIPT: Final = Path(__file__).with_name("compile_modules.py")
_LIMITS: Final = Limits(timeout_total=120.0, timeout_silent=120.0, disk=1 << 30, files=100_000, open_files=4096)
_TESTS: Final = frozenset({"test", "tests"})


class Bytecode:
    """The store in ``folder``, of one interpreter; ``link_mode`` as in ``Uv``.

    A wheel is compiled when it is installed a second time: what many builds need is, and a large wheel
    that one build needs is not.
    """

    def __init__(self, folder: Path, link_mode: LinkMode) -> None:
        self._folder = folder
        self._link_mode: LinkMode = link_mode
        self._uses: Counter[Sha256] = Counter()
        self._compiling = asyncio.Lock()

    async def add(
        self, environment: Environment, wheels: Mapping[Sha256, str], build: BuildFolder, sandbox: Sandbox, prefix: Path
    ) -> None:
        """The environment's modules have their bytecode beside them where it was worth it, or soon is.

        wheels: sha256 → canonical name of the distribution. prefix: the interpreter's installation.
        Raises nothing of compiling: an environment works without. Cost: 20 µs a module; a second for
        the first of many environments with setuptools.
        """
        self._uses.update(wheels.keys())
        async with self._compiling:
            missing = {wheel for wheel in wheels if self._uses[wheel] > 1 and not (self._folder / wheel).exists()}
            if missing:
                await self._compile(environment, {wheel: wheels[wheel] for wheel in missing}, build, sandbox, prefix)
        await asyncio.to_thread(self._place, environment, tuple(wheels))

    async def _compile(
        self, environment: Environment, wheels: Mapping[Sha256, str], build: BuildFolder, sandbox: Sandbox, prefix: Path
    ) -> None:
        """The store has a folder for each wheel, empty where nothing could be compiled."""
        made = build.root / f"bytecode-{secrets.token_hex(4)}"
        made.mkdir()
        groups = await asyncio.to_thread(_modules, environment, wheels)
        (made / "input.json").write_text(json.dumps(groups), "utf-8")
        mounts = (
            *build.mounts(),
            Mount(environment.folder, Path("/environment")),
            Mount(prefix, prefix),
            Mount(_SCRIPT, Path("/compile.py")),
            Mount(made, Path("/bytecode"), writable=True),
        )
        python, script, site, result = (
            str(inside(sandbox, mounts, path)) for path in (environment.python, _SCRIPT, environment.site, made)
        )
        argv = [python, "-I", "-S", "-B", script, site, result]
        await run(confine(sandbox, Confinement(mounts, _LIMITS), argv, {}, Path("/")), _Unheard())
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for wheel in wheels:
            (made / wheel).mkdir(exist_ok=True)
            with contextlib.suppress(OSError):
                (made / wheel).rename(self._folder / wheel)

    def _place(self, environment: Environment, wheels: tuple[Sha256, ...]) -> None:
        for wheel in wheels:
            root = os.fspath(self._folder / wheel)
            for folder, folders, files in os.walk(root):
                place = environment.site / os.path.relpath(folder, root)
                if not place.parent.is_dir():
                    folders.clear()
                elif files:
                    self._fill(folder, place, files)

    def _fill(self, folder: str, place: Path, files: list[str]) -> None:
        with contextlib.suppress(FileExistsError):
            place.mkdir()
        for name in files:
            with contextlib.suppress(OSError):  # another wheel of the environment may have brought the same module
                if self._link_mode == "hardlink":
                    os.link(f"{folder}/{name}", place / name, follow_symlinks=False)
                else:
                    shutil.copyfile(f"{folder}/{name}", place / name, follow_symlinks=False)


def _modules(environment: Environment, wheels: Mapping[Sha256, str]) -> dict[Sha256, list[str]]:
    """The modules of each wheel, by their places in the environment; not those of its tests."""
    installed = {str(canonicalize_name(found.name)): found for found in distributions(path=[str(environment.site)])}
    return {wheel: _modules_of(installed[name]) for wheel, name in wheels.items() if name in installed}


def _modules_of(distribution: Distribution) -> list[str]:
    files = (file for file in distribution.files or () if file.suffix == ".py")
    odd = {"..", "/"} | _TESTS
    return [str(file) for file in files if odd.isdisjoint(file.parts)]


class _Unheard:
    """Where what the compiler says goes."""

    def write(self, data: bytes) -> None:
        """Drop it: what fails to compile fails again, and is seen, where it is imported."""
