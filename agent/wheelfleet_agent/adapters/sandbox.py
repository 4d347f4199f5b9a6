"""The sandbox that this host has: found, not yet proven (``sandbox_probe`` proves it)."""

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from ..core.sandbox_plan import (
    HOST_FILES,
    HOST_FOLDERS,
    INSIDE_UID,
    NETWORK_FILES,
    HostRoot,
    Level,
    Sandbox,
)

NO_SANDBOX: Final = Sandbox(Level.NONE)
_USERNS_OPTION_SINCE: Final = (0, 8)
_SYSTEM_PATH: Final = "/usr/local/bin:/usr/bin:/bin"
_ETC: Final = {
    "passwd": f"build:x:{INSIDE_UID}:{INSIDE_UID}:build:/build/home:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n",
    "group": f"build:x:{INSIDE_UID}:\nnogroup:x:65534:\n",
    "hosts": "127.0.0.1 localhost\n::1 localhost\n",
}


def find_sandbox(folder: Path) -> Sandbox:
    """The strongest sandbox whose programs are installed; NO_SANDBOX when there is none.

    ``folder`` belongs to the agent and keeps the few files of /etc that programs inside see.
    """
    found = shutil.which("bwrap", path=_SYSTEM_PATH)
    if found is None:
        return NO_SANDBOX
    etc = folder / "sandbox-etc"
    _write_etc(etc)
    disable_userns = _version(Path(found)) >= _USERNS_OPTION_SINCE
    return Sandbox(Level.STANDARD, read_host_root(), Path(found), etc, disable_userns)


def read_host_root() -> HostRoot:
    """Which of the system's folders are there, and which are links (merged /usr)."""
    folders = [Path(name) for name in HOST_FOLDERS]
    links = tuple((folder, str(folder.readlink())) for folder in folders if folder.is_symlink())
    linked = {folder for folder, _ in links}
    candidates = [*folders, *(Path(name) for name in (*HOST_FILES, *NETWORK_FILES))]
    return HostRoot(_existing(path for path in candidates if path not in linked), links)


def _existing(paths: Iterable[Path]) -> tuple[Path, ...]:
    return tuple(path for path in paths if path.exists())


def _version(bwrap: Path) -> tuple[int, ...]:
    """(0, 8, 0) for ``bubblewrap 0.8.0``; empty for what cannot be read."""
    said = subprocess.run([bwrap, "--version"], capture_output=True, text=True, check=False, env={}).stdout
    numbers = re.search(r"\d+(?:\.\d+)*", said)
    return tuple(int(part) for part in numbers[0].split(".")) if numbers else ()


def _write_etc(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in _ETC.items():
        (folder / name).write_text(text, "ascii")
