"""Locks and wheels of one index, for steps on this machine; builds of a cluster get both from its coordinator."""

import asyncio
import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

from wheelfleet_shared.core.event_base import FileRef
from wheelfleet_shared.core.messages import Download
from wheelfleet_shared.errors import InfrastructureError, InputError

from ..core.lock_file import LockedWheel, read_lock
from .environment import Uv
from .transfer import Transfer

_FOREIGN: Final = ("UV_", "PIP_", "VIRTUAL_ENV", "CONDA_", "PYTHON")
"""Beginnings of variables that name other indexes, environments or Pythons than those meant here."""
_OPTIONS: Final = (
    *("--format", "pylock.toml", "--only-binary", ":all:", "--no-sources", "--no-header"),
    *("--no-config", "--no-python-downloads", "--quiet", "--color", "never"),
)


class WheelSource(NamedTuple):
    """Where wheels come from, and nowhere else: an index where ``url`` is not empty, else these folders."""

    url: str
    folders: tuple[Path, ...] = ()

    def __str__(self) -> str:
        parts = urlsplit(self.url)
        shown = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        return shown or ", ".join(dict.fromkeys(str(folder.parent) for folder in self.folders))


class LockRules(NamedTuple):
    """What a lock is made with. constraints: requirements as text. tags: of the target, the best first."""

    uv: Uv
    interpreter: Path
    source: WheelSource
    constraints: tuple[str, ...]
    tags: tuple[str, ...]


class _Answer(NamedTuple):
    status: int
    lock: str
    said: str


async def lock_wheels(rules: LockRules, requirements: Sequence[str], folder: Path) -> tuple[LockedWheel, ...]:
    """Wheels that meet the requirements, constraints and each other, the newest first, by name.

    folder: for the files that uv reads. Raises InputError that lists what the source lacks, or says what
    contradicts what; InfrastructureError where uv does not start.
    """
    if not requirements:
        return ()
    answer = await _ask(rules, requirements, folder)
    if answer.status != 0:
        raise await _why_not(rules, requirements, folder, answer.said)
    return read_lock(answer.lock, rules.tags)


async def bring_wheels(wheels: Sequence[LockedWheel], transfer: Transfer) -> list[Path]:
    """The files, each with the sha256 of the lock. Raises TransferFault, InfrastructureError."""
    return list(await asyncio.gather(*(_bring(wheel, transfer) for wheel in wheels)))


async def _bring(wheel: LockedWheel, transfer: Transfer) -> Path:
    if not wheel.url.startswith("file:"):
        return await transfer.fetch(Download(FileRef(wheel.file_name, wheel.sha256, 0), wheel.url))
    path = Path(unquote(urlsplit(wheel.url).path))
    content = await asyncio.to_thread(path.read_bytes)
    if hashlib.sha256(content).hexdigest() != wheel.sha256:
        raise InfrastructureError(f"{path} changed while it was used", "run the step again")
    return path


async def _why_not(rules: LockRules, requirements: Sequence[str], folder: Path, said: str) -> InputError:
    """Each requirement is tried alone, since uv names one cause only."""
    answers = [(text, await _ask(rules, (text,), folder)) for text in requirements]
    missing = [text for text, answer in answers if answer.status != 0]
    place = str(rules.source)
    if missing:
        each = "".join(f"\n  {text}: {_cause(answer.said)}" for text, answer in answers if answer.status != 0)
        return InputError(
            f"build requirements are missing from {place}: {', '.join(missing)}{each}",
            "build them first, or give an index that has them with --wheel-server-url",
        )
    return InputError(
        f"the build requirements {', '.join(requirements)} cannot be installed together from {place}: {_cause(said)}",
        "constrain one of them",
    )


async def _ask(rules: LockRules, requirements: Sequence[str], folder: Path) -> _Answer:
    constraints = await asyncio.to_thread(_write_constraints, rules, folder)
    folders = [word for place in rules.source.folders if place.is_dir() for word in ("--find-links", str(place))]
    index = () if rules.source.url else ("--no-index", "--offline", *folders)
    environment = _environment(os.environ, rules.source.url)
    try:
        process = await asyncio.create_subprocess_exec(
            rules.uv.program,
            *("pip", "compile", "-", *_OPTIONS, *index, "--python", str(rules.interpreter)),
            *("--constraint", str(constraints), "--cache-dir", str(rules.uv.cache)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
            cwd=folder,
        )
    except OSError as error:
        raise InfrastructureError(
            f"uv cannot be started: {error}", "install wheelfleet with its extra agent"
        ) from error
    lock, said = await process.communicate("".join(f"{text}\n" for text in requirements).encode())
    return _Answer(process.returncode or 0, lock.decode(), said.decode("utf-8", "replace"))


def _write_constraints(rules: LockRules, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "constraints.txt"
    file.write_text("".join(f"{text}\n" for text in rules.constraints))
    return file


def _environment(own: Mapping[str, str], url: str) -> dict[str, str]:
    """What uv sees: proxies and certificates of the user, the one index, and no other setting of anyone."""
    kept = {name: value for name, value in own.items() if not name.startswith(_FOREIGN)}
    # In the environment and not on the command line, which everybody on the machine can read.
    return {**kept, "UV_NATIVE_TLS": "true", **({"UV_DEFAULT_INDEX": url} if url else {})}


def _cause(said: str) -> str:
    """What uv says after its headline, in one line."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    text = " ".join(line for line in lines if not line.startswith(("error: No solution", "hint:")))
    return text.removeprefix("cause: ").removeprefix("╰─▶ ") or "uv gave no reason"
