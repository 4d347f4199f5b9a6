"""Patches, applied by GNU patch: no library reads diffs as the program does that made them."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from wheelfleet_shared.errors import InfrastructureError, SourceError

from ..core.patch_text import read_hunks, why_not
from ..core.prepare import Patch

_SECONDS: Final = 120.0
_OPTIONS: Final = (
    "--strip=1",
    # Nothing but a unified diff: another kind, ed's, is a script of commands.
    "--unified",
    # A patch that upstream has already is a fault, not something to take back.
    "--forward",
    "--batch",
    "--no-backup-if-mismatch",
    "--reject-file=-",
    "--get=0",
)


def apply_patch(root: Path, patch: Patch) -> None:
    """The patch is applied to the files below root, and nothing else lies there.

    No shell, no network, nothing outside root but a temporary file beside it. Where it raises, part of the
    patch may be applied. Raises SourceError, naming patch, hunk and line, where it does not fit or may
    not be used, InfrastructureError where this host cannot run GNU patch.
    """
    hunks = read_hunks(patch)
    _check_links(root, patch, {name for hunk in hunks for name in hunk.files})
    done = _run(root, [find_gnu_patch(), *_OPTIONS], patch)
    if done.returncode != 0:
        raise why_not(patch, hunks, done.stdout.decode("utf-8", "backslashreplace"))


def find_gnu_patch() -> str:
    """The program. Raises InfrastructureError where there is none, or one that is not GNU's (BusyBox has another)."""
    program = shutil.which("patch")
    if program is not None:
        asked = subprocess.run([program, "--version"], capture_output=True, check=False, stdin=subprocess.DEVNULL)
        if asked.stdout.startswith(b"GNU patch"):
            return program
    raise InfrastructureError(
        "this agent has no GNU patch, which patches of settings need", "install the distribution's 'patch' on the agent"
    )


def _check_links(root: Path, patch: Patch, names: set[str]) -> None:
    """Raises SourceError for a file that a symbolic link of the source puts outside of it."""
    inside = root.resolve()
    for name in sorted(names):
        stripped = name.partition("/")[2]
        if not (root / stripped).resolve().is_relative_to(inside):
            raise SourceError(f"patch {patch.name} cannot be used: {stripped!r} leads out of the source", "correct it")


def _run(root: Path, argv: list[str], patch: Patch) -> subprocess.CompletedProcess[bytes]:
    environment = {"PATH": os.defpath, "LC_ALL": "C", "QUOTING_STYLE": "literal", "TMPDIR": str(root.parent)}
    try:
        return subprocess.run(
            argv,
            cwd=root,
            env=environment,
            input=patch.data,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SourceError(
            f"patch {patch.name} was not applied within {_SECONDS:.0f} seconds", "make it smaller"
        ) from None
    except OSError as error:
        raise InfrastructureError(f"{argv[0]} cannot be started: {error}", "look at the agent's host") from error
