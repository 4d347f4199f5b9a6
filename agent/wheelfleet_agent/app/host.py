"""What this host brings to builds: probed once, when the agent starts."""

import asyncio
from pathlib import Path
from typing import Final, NamedTuple

from wheelfleet_shared.core.configuration import AgentConfig
from wheelfleet_shared.core.messages import Work
from wheelfleet_shared.core.targets import TargetDefinition
from wheelfleet_shared.errors import InfrastructureError, InputError
from wheelfleet_shared.names import TargetId, digest

from ..adapters.environment import Uv, find_uv
from ..adapters.hooks import Equipment
from ..adapters.probe_host import Machine, probe_interpreter, probe_machine
from ..adapters.sandbox import NO_SANDBOX
from ..adapters.sandbox_probe import SandboxReport, probe_sandbox
from ..adapters.toolchain import Toolchain, make_toolchain
from ..core.interpreters import InterpreterFacts, define_target
from ..core.processes import Limits
from ..core.sandbox_plan import Level

DISK_OF_BUILD: Final = 20 * 1024**3
"""Bytes that one build may write."""
FILES_OF_BUILD: Final = 2_000_000
FREE_DISK: Final = 1024**3
"""Bytes that a build must leave free for everybody else."""
OPEN_FILES: Final = 65_536


def limits_of(work: Work) -> Limits:
    """What each process of an attempt may use."""
    return Limits(
        timeout_total=work.timeout_total,
        timeout_silent=work.timeout_silent,
        disk=DISK_OF_BUILD,
        free_disk=FREE_DISK,
        files=FILES_OF_BUILD,
        open_files=OPEN_FILES,
    )


class Interpreter(NamedTuple):
    """A Python to build with, and the target that it serves."""

    path: Path
    definition: TargetDefinition
    equipment: Equipment


class Host(NamedTuple):
    """Everything probed. folder: of the agent's own."""

    folder: Path
    machine: Machine
    sandbox: SandboxReport
    toolchain: Toolchain
    uv: Uv
    interpreters: dict[TargetId, Interpreter]

    @property
    def identity(self) -> str:
        """A digest of what may make builds come out differently here."""
        definitions = sorted(target for target in self.interpreters)
        return digest("host/1", self.toolchain.digest, str(self.sandbox.level), *definitions)


async def probe_host(config: AgentConfig) -> Host:
    """The host as it is.

    Raises InputError for an interpreter that is none or a sandbox level that does not exist;
    InfrastructureError where the sandbox that was asked for does not hold here.
    """
    folder = Path(config.data)
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True, mode=0o700)
    paths = [Path(path) for path in config.interpreters]
    facts = [await probe_interpreter(path) for path in paths]
    if not paths:
        raise InputError("the agent's configuration names no interpreter", "add interpreters")
    sandbox = await choose_sandbox(config.sandbox, folder, paths[0], facts[0])
    programs = sorted({name for found in facts for name in found.programs})
    toolchain = await make_toolchain(folder / "toolchain", "all", programs)
    uv = Uv(find_uv(), folder / "uv-cache", "copy" if sandbox.level is Level.NONE else "hardlink")
    interpreters = {}
    for path, found in zip(paths, facts, strict=True):
        definition = define_target(found)
        equipment = Equipment(sandbox.sandbox, toolchain, found.prefix)
        interpreters[definition.id] = Interpreter(path, definition, equipment)
    return Host(folder, probe_machine(folder), sandbox, toolchain, uv, interpreters)


async def choose_sandbox(wanted: str, folder: Path, interpreter: Path, facts: InterpreterFacts) -> SandboxReport:
    """The sandbox to build in: what was asked for, proven, or the strongest that holds."""
    if wanted == Level.NONE:
        return SandboxReport(NO_SANDBOX, reason="switched off")
    if wanted not in {"auto", *Level}:
        raise InputError(f"there is no sandbox level {wanted!r}", f"one of auto, {', '.join(Level)}")
    report = await probe_sandbox(folder, interpreter, facts.prefix)
    if report.level is Level.NONE:
        raise InfrastructureError(
            f"builds cannot be isolated here: {report.reason}",
            f"{report.next_step}; or accept builds with your rights and your network: --sandbox none",
        )
    return report
