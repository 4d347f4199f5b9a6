"""A shell in the locked environment of a build, beside its source."""

import asyncio
import hashlib
import os
import posixpath
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

import httpx
import typer

from wheelfleet_shared.core import messages as m
from wheelfleet_shared.errors import InfrastructureError, InputError

from .connection import linked
from .run_commands import find_run
from .settings import Settings


def open_shell(settings: Settings, run: str, name: str) -> int:
    """The exit status of the shell; source and environment are gone when it ends."""
    uv = shutil.which("uv", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""))))
    if uv is None:
        raise InputError("uv is not installed here", "pip install 'wheelfleet[agent]'")
    with tempfile.TemporaryDirectory(prefix=f"wheelfleet-{name}-") as made:
        folder = Path(made)
        work = asyncio.run(_bring(settings, run, name, folder))
        source = unpack(folder / "files" / work.sdist.file.file_name, folder / "source")
        wheels = [folder / "files" / item.file.file_name for item in work.environment]
        _make_environment(uv, folder / "environment", wheels)
        typer.echo(f"{work.plan.node} for {work.target}: source in {source}, environment {folder / 'environment'}")
        environment = {
            **os.environ,
            "PATH": f"{folder / 'environment' / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "VIRTUAL_ENV": str(folder / "environment"),
            "SOURCE_DATE_EPOCH": str(work.epoch),
        }
        return subprocess.run([os.environ.get("SHELL", "/bin/sh")], cwd=source, env=environment, check=False).returncode


async def _bring(settings: Settings, run: str, name: str, folder: Path) -> m.Work:
    """What the build was given; its files lie in ``files``, each with the right digest."""
    (folder / "files").mkdir()
    async with linked(settings) as link:
        work = await link.ask(m.ShellAsk(await find_run(link, run), name), m.Work)
    async with httpx.AsyncClient(trust_env=False, timeout=120.0) as client:
        await asyncio.gather(*(_download(client, item, folder) for item in (work.sdist, *work.environment)))
    return work


async def _download(client: httpx.AsyncClient, item: m.Download, folder: Path) -> None:
    try:
        response = await client.get(item.url)
    except httpx.HTTPError as error:
        raise InfrastructureError(f"{item.file.file_name} cannot be fetched: {error}", "try again") from error
    if not response.is_success or hashlib.sha256(response.content).hexdigest() != item.file.sha256:
        raise InfrastructureError(f"the store does not give {item.file.file_name} as promised", "`wheelfleet doctor`")
    (folder / "files" / item.file.file_name).write_bytes(response.content)


def unpack(archive: Path, to: Path) -> Path:
    """The one folder of a patched sdist, unpacked; raises InputError where it holds another number of them.

    Raises InputError for a member that would lie, or lead, outside; nothing is unpacked then.
    """
    with tarfile.open(archive) as members:
        _refuse_escapes(archive.name, members.getmembers())
        # The ``filter`` argument is new in Python 3.11.4; an attribute does no harm to those before.
        members.extraction_filter = lambda member, _: member
        members.extractall(to)  # noqa: S202 - each member was looked at
    folders = list(to.iterdir())
    if len(folders) != 1:
        raise InputError(f"{archive.name} holds {len(folders)} folders, not one")
    return folders[0]


def _refuse_escapes(archive: str, members: list[tarfile.TarInfo]) -> None:
    links = {PurePosixPath(member.name) for member in members if member.issym()}
    for member in members:
        place = PurePosixPath(member.name)
        target = str(place.parent / member.linkname) if member.issym() else member.name
        known = member.isdir() or member.isreg() or member.issym()
        if not known or ".." in place.parts or _leaves(target) or not links.isdisjoint(place.parents):
            raise InputError(f"{archive} holds {member.name}, which would leave its folder", "`wheelfleet doctor`")


def _leaves(path: str) -> bool:
    return path.startswith("/") or PurePosixPath(posixpath.normpath(path)).parts[:1] == ("..",)


def _make_environment(uv: str, place: Path, wheels: list[Path]) -> None:
    quiet = [uv, "--quiet", "--no-config", "--offline"]
    _run([*quiet, "venv", "--python", sys.executable, "--no-project", str(place)])
    if wheels:
        install = [*quiet, "pip", "install", "--python", str(place), "--no-deps", "--no-index"]
        _run([*install, *(str(wheel) for wheel in wheels)])


def _run(command: list[str]) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("UV_", "PIP_"))}
    done = subprocess.run(command, env=clean, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise InfrastructureError(f"{command[0]} failed:\n{done.stderr.strip()}", "see the lines above")
