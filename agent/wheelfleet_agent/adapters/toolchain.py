"""The toolchain folder: links to the host's programs that builds may find on PATH."""

import asyncio
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from ..core.toolchain_names import SHELL, HostTools, Tool, toolchain_digest, wanted_tools

_VERSION_SECONDS: Final = 10.0
_RUST: Final = frozenset({"rustc", "cargo"})


class Toolchain(NamedTuple):
    """A folder of links. tools: sorted by name; prefixes: folders beyond /usr that the links lead to."""

    folder: Path
    tools: tuple[Tool, ...]
    prefixes: tuple[Path, ...]
    digest: str


async def make_toolchain(folder: Path, host_tools: HostTools, named_by_interpreter: Iterable[str] = ()) -> Toolchain:
    """The folder holds exactly the links to what was found; made anew.

    Raises OSError. Cost: one ``--version`` of each tool found, at the same time; about 1 s.
    """
    path = os.environ.get("PATH", os.defpath)
    wanted = _found(wanted_tools(host_tools, named_by_interpreter), path)
    located = {**wanted, **await _real_rust(wanted)}
    versions = await asyncio.gather(*(_version(program) for program in located.values()))
    tools = [Tool(name, version) for name, version in zip(located, versions, strict=True)]
    shell = _found(SHELL, path)
    _link({**shell, **located}, folder)
    known = sorted({*tools, *(Tool(name, "") for name in shell if name not in located)})
    prefixes = _prefixes([*located.values(), *shell.values()])
    return Toolchain(folder, tuple(known), prefixes, toolchain_digest(known))


def _found(names: Sequence[str], path: str) -> dict[str, Path]:
    """Name → program, for those on the path."""
    return {name: Path(program) for name in names if (program := shutil.which(name, path=path))}


async def _real_rust(located: dict[str, Path]) -> dict[str, Path]:
    """The rustc and cargo themselves, where those on PATH are rustup's, which need its home folder."""
    if "rustc" not in located:
        return {}
    sysroot = Path(await _say(located["rustc"], "--print", "sysroot"), "bin")
    return {name: sysroot / name for name in sorted(_RUST) if sysroot.is_absolute() and (sysroot / name).is_file()}


async def _version(program: Path) -> str:
    return await _say(program, "--version")


async def _say(program: Path, *arguments: str) -> str:
    """The first line that says something, empty when it fails or hangs."""
    variables = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={**variables, "LC_ALL": "C"},
        )
    except OSError:
        return ""
    try:
        async with asyncio.timeout(_VERSION_SECONDS):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return ""
    lines = output.decode("utf-8", "replace").split("\n")
    return next((line.strip() for line in lines if line.strip()), "") if process.returncode == 0 else ""


def _link(programs: dict[str, Path], folder: Path) -> None:
    """The folder has these links and nothing else."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    for name, program in programs.items():
        (folder / name).symlink_to(program)


def _prefixes(programs: Iterable[Path]) -> tuple[Path, ...]:
    """What must be visible beside /usr for the links to work: ``/opt/x`` for ``/opt/x/bin/cc``."""
    ends = {path for program in programs for path in (program, program.resolve())}
    system = [Path(name) for name in ("/usr", "/bin", "/sbin")]
    beyond = {end.parent.parent for end in ends if not any(end.is_relative_to(folder) for folder in system)}
    return tuple(sorted(prefix for prefix in beyond if prefix != Path("/")))
