"""The toolchain folder: links to the host's programs that builds may find on PATH."""

import asyncio
import contextlib
import os
import pwd
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from ..core.toolchain_names import SHELL, HostTools, Tool, toolchain_digest, wanted_tools

_VERSION_SECONDS: Final = 10.0
_RUST: Final = frozenset({"rustc", "cargo"})


class Toolchain(NamedTuple):
    """A folder of links. tools: sorted by name; prefixes: folders and files beyond /usr that the links lead to."""

    folder: Path
    tools: tuple[Tool, ...]
    prefixes: tuple[Path, ...]
    digest: str


async def make_toolchain(folder: Path, host_tools: HostTools, named_by_interpreter: Iterable[str] = ()) -> Toolchain:
    """The folder holds exactly the links to what was found; made anew.

    Versions of programs that have not changed since are those that the file ``<folder>.json`` tells.
    Raises OSError. Cost: one ``--version`` of each tool that is new, at the same time; about 1 s for all.
    """
    path = os.environ.get("PATH", os.defpath)
    wanted = _found(wanted_tools(host_tools, named_by_interpreter), path)
    located = {**wanted, **await _real_rust(wanted)}
    versions = await _versions(tuple(located.values()), folder.with_name(f"{folder.name}.json"))
    tools = [Tool(name, version) for name, version in zip(located, versions, strict=True)]
    shell = _found(SHELL, path)
    _link({**shell, **located}, folder)
    known = sorted({*tools, *(Tool(name, "") for name in shell if name not in located)})
    prefixes = _prefixes([*located.values(), *shell.values()], _private_places(folder))
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


class _Known(msgspec.Struct, frozen=True):
    """What a program said of its version. stamp: of the program, the same as long as it is the same file."""

    stamp: str
    version: str


async def _versions(programs: Sequence[Path], kept: Path) -> list[str]:
    """What the programs say, in their order; kept in a file for the next start."""
    old = _read(kept)

    async def ask(program: Path) -> _Known:
        known, stamp = old.get(str(program)), _stamp(program)
        if known is not None and known.stamp == stamp:
            return known
        return _Known(stamp, await _say(program, "--version"))

    said = await asyncio.gather(*(ask(program) for program in programs))
    _write(kept, {str(program): known for program, known in zip(programs, said, strict=True) if known.version})
    return [known.version for known in said]


def _read(kept: Path) -> dict[str, _Known]:
    with contextlib.suppress(OSError, msgspec.DecodeError):
        return msgspec.json.decode(kept.read_bytes(), type=dict[str, _Known])
    return {}


def _write(kept: Path, known: dict[str, _Known]) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(msgspec.json.encode(known))


def _stamp(program: Path) -> str:
    """Differs after every change of what would be started: path, inode, size and times of the file itself."""
    real = program.resolve()
    found = real.stat()
    return f"{real} {found.st_dev} {found.st_ino} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}"


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


def _prefixes(programs: Iterable[Path], private: Iterable[Path]) -> tuple[Path, ...]:
    """What must be visible beside /usr for the links to work: ``/opt/x`` for ``/opt/x/bin/cc``.

    Of an installation that holds a private place, or lies in a hidden folder of somebody's home, the
    program alone: ``~/.local`` and ``~/.cargo`` hold credentials beside their programs.
    """
    ends = {path for program in programs for path in (program, program.resolve())}
    system = [Path(name) for name in ("/usr", "/bin", "/sbin")]
    beyond = {end for end in ends if not any(end.is_relative_to(folder) for folder in system)}
    places = tuple(private)
    return tuple(sorted({end if _is_private(end.parent.parent, places) else end.parent.parent for end in beyond}))


def _is_private(prefix: Path, places: Iterable[Path]) -> bool:
    hidden = prefix.name.startswith(".")
    return any(place.is_relative_to(prefix) or (hidden and prefix.parent == place) for place in places)


def _private_places(folder: Path) -> tuple[Path, ...]:
    """The homes of this user, by the environment and by the system, and the agent's own folder."""
    homes = [os.environ.get("HOME", "")]
    with contextlib.suppress(KeyError):
        homes.append(pwd.getpwuid(os.getuid()).pw_dir)
    named = [folder, *(Path(home) for home in homes if home)]
    return tuple({path for place in named for path in (place.absolute(), place.resolve())} | {Path("/")})
