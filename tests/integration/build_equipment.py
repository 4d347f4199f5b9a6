"""What tests need to run hooks for real: an agent's equipment, and copies of the sources in tests/packages."""

import asyncio
import shutil
import sys
from pathlib import Path

import msgspec
import pytest

from wheelfleet_agent.adapters.build_folder import make_build_folder
from wheelfleet_agent.adapters.environment import Uv, find_uv, make_environment
from wheelfleet_agent.adapters.hooks import Backend, Equipment
from wheelfleet_agent.adapters.sandbox import NO_SANDBOX
from wheelfleet_agent.adapters.sandbox_probe import probe_sandbox
from wheelfleet_agent.adapters.toolchain import make_toolchain
from wheelfleet_agent.core.hook_environment import BuildSystem, HookSettings
from wheelfleet_agent.core.processes import Limits
from wheelfleet_agent.core.sandbox_plan import Level

PACKAGES = Path(__file__).parent.parent / "packages"
PREFIX = Path(sys.base_prefix)
INTERPRETER = PREFIX / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
EPOCH = 1_700_000_000
LIMITS = Limits(timeout_total=60.0, timeout_silent=60.0, grace=0.2)


class Lines:
    """A log sink that keeps everything."""

    def __init__(self):
        self.data = b""

    def write(self, data):
        self.data += data

    @property
    def text(self):
        return self.data.decode()


def equip(folder, level):
    """What an agent at this level brings; skips where the host has no such sandbox."""
    sandbox = NO_SANDBOX
    if level is not Level.NONE:
        report = asyncio.run(probe_sandbox(folder, INTERPRETER, PREFIX))
        if report.level is not level:
            pytest.skip(f"{report.reason}: {report.next_step}")
        sandbox = report.sandbox
    return Equipment(sandbox, asyncio.run(make_toolchain(folder / "toolchain", "all")), PREFIX)


def open_backend(folder, equipment, name, wheels=(), variables=None, limits=LIMITS, system=None):
    """The backend of a source of tests/packages, in an environment of these wheels."""
    link_mode = "copy" if equipment.sandbox.level is Level.NONE else "hardlink"
    uv = Uv(find_uv(), folder / "uv-cache", link_mode)
    root = folder / f"attempt-{len(list(folder.glob('attempt-*')))}"
    build = make_build_folder(root)
    tree = build.build / f"{name}-1.0"
    shutil.copytree(PACKAGES / name, tree, ignore=shutil.ignore_patterns("__pycache__"))
    environment = asyncio.run(make_environment(uv, INTERPRETER, wheels, root / "environment"))
    settings = HookSettings(EPOCH, config_settings={"level": "high"}, variables=variables or {})
    return Backend(tree, system or declared(tree), environment, build, equipment, limits, settings)


def declared(tree):
    """The ``[build-system]`` of a source of ours, in which nothing is left to defaults."""
    import tomllib

    table = tomllib.loads((tree / "pyproject.toml").read_text())["build-system"]
    return BuildSystem(table["build-backend"], tuple(table["backend-path"]))


def with_limits(backend, **changes):
    return backend._replace(limits=msgspec.structs.replace(backend.limits, **changes))
