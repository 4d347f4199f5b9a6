"""A sandbox is believed when harmless attacks were run in it and failed, and an honest program worked."""

import asyncio
import json
import secrets
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from ..core.processes import Finished, Limits
from ..core.sandbox_plan import Confinement, Level, Mount, Sandbox, confine
from .build_folder import BuildFolder, make_build_folder, remove_build_folder
from .run_process import run
from .sandbox import NO_SANDBOX, find_sandbox

_ATTACK: Final = Path(__file__).with_name("attack.py")
_SCRIPT_INSIDE: Final = Path("/attack.py")
_LIMITS: Final = Limits(timeout_total=60.0, timeout_silent=60.0, grace=1.0)
_INSTALL: Final = "install bubblewrap (Debian, Fedora, Arch and Alpine all call it bubblewrap)"
_ALLOW: Final = (
    "allow user namespaces for this user or container (sysctl user.max_user_namespaces,"
    " kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns;"
    " in a container also its seccomp profile and an unmasked /proc)"
)


class SandboxReport(NamedTuple):
    """What was proven. attacks: those that succeeded at the next higher level; next_step: how to reach it."""

    sandbox: Sandbox
    attacks: tuple[str, ...] = ()
    reason: str = ""
    next_step: str = ""

    @property
    def level(self) -> Level:
        """The level that holds."""
        return self.sandbox.level


class _Heard(msgspec.Struct):
    """Whether somebody connected to our listener."""

    connections: int = 0


class _Tail:
    """Keeps what a probe says only as its tail."""

    def write(self, data: bytes) -> None:
        """Drop it: ``Finished.tail`` has it."""


async def probe_sandbox(folder: Path, interpreter: Path, prefix: Path) -> SandboxReport:
    """The strongest sandbox that holds on this host, proven by running an honest program and attacks.

    ``folder`` is the agent's own. ``interpreter`` runs the probes, ``prefix`` is its installation.
    Cost: about 0.2 s.
    """
    sandbox = find_sandbox(folder)
    if sandbox.level is Level.NONE:
        return SandboxReport(NO_SANDBOX, reason="bwrap is not installed", next_step=_INSTALL)
    build = make_build_folder(folder / f"probe-{secrets.token_hex(4)}")
    try:
        return await _prove(sandbox, build, interpreter, prefix)
    finally:
        await remove_build_folder(build)


async def _prove(sandbox: Sandbox, build: BuildFolder, interpreter: Path, prefix: Path) -> SandboxReport:
    mounts = (*build.mounts(), Mount(prefix, prefix), Mount(_ATTACK, _SCRIPT_INSIDE))
    confinement = Confinement(mounts, _LIMITS)
    honest = "import pathlib, sys; pathlib.Path('/results/honest').write_text(sys.version)"
    argv = [str(interpreter), "-I", "-c", honest]
    said = await run(confine(sandbox, confinement, argv, {}, Path("/build")), _Tail())
    if said.returncode != 0 or not (build.results / "honest").is_file():
        return SandboxReport(NO_SANDBOX, reason=f"bwrap fails here: {_last(said)}", next_step=_ALLOW)
    succeeded = await attack(sandbox, confinement, interpreter, build.root, _SCRIPT_INSIDE)
    if succeeded:
        what = ", ".join(succeeded)
        return SandboxReport(NO_SANDBOX, succeeded, f"inside bwrap these attacks succeed: {what}", _ALLOW)
    return SandboxReport(sandbox)


async def attack(
    sandbox: Sandbox, confinement: Confinement, interpreter: Path, folder: Path, script: Path = _ATTACK
) -> tuple[str, ...]:
    """The attacks that succeed in the sandbox. What can be seen outside, in ``folder``, is judged there."""
    outside = Path(tempfile.mkdtemp(prefix="outside-", dir=folder))
    name = f"WHEELFLEET_CANARY_{secrets.token_hex(4)}"
    (outside / "secret").write_text(name, "ascii")
    try:
        async with _listener() as (port, heard), _process_with_secret(name) as pid:
            told = {
                "port": port,
                "outside": str(outside),
                "canary_file": str(outside / "secret"),
                "canary_name": name,
                "pid": pid,
            }
            argv = [str(interpreter), "-I", str(script), json.dumps(told)]
            said = await run(confine(sandbox, confinement, argv, {}, Path("/")), _Tail())
        seen = {"network": heard.connections > 0, "write outside": (outside / "attack").exists()}
    finally:
        shutil.rmtree(outside)
    return _succeeded(said, seen)


def _succeeded(said: Finished, seen: dict[str, bool]) -> tuple[str, ...]:
    """The attacks that succeeded: by what we saw, else by what the probe says; a probe that says nothing fails."""
    try:
        claimed = msgspec.json.decode(_last(said), type=dict[str, bool])
    except msgspec.DecodeError:
        return (f"the probe broke: {_last(said)}",)
    return tuple(sorted(name for name in claimed if seen.get(name, claimed[name])))


def _last(said: Finished) -> str:
    return said.tail[-1] if said.tail else f"exit {said.returncode}, no output"


@asynccontextmanager
async def _listener() -> AsyncIterator[tuple[int, _Heard]]:
    """A listener on loopback that notes connections."""
    heard = _Heard()

    def note(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.connections += 1
        writer.close()

    server = await asyncio.start_server(note, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], heard


@asynccontextmanager
async def _process_with_secret(name: str) -> AsyncIterator[int]:
    """A process of ours with a secret in its environment, that ends with the block."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", "-c", "import sys; sys.stdin.read()"),
        stdin=asyncio.subprocess.PIPE,
        env={name: "secret"},
    )
    try:
        yield process.pid
    finally:
        process.kill()
        await process.wait()
