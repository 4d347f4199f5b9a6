"""fromager in an environment of its own: made once, kept in the user's cache."""

import fcntl
import glob
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

REQUIREMENT = "fromager==0.101.0"
PYTHON = "python3.12"
_VERSION = "import sys; print(*sys.version_info[:2], sep='.')"


class Fromager(NamedTuple):
    """A fromager that runs, and the Python it builds for."""

    bin: Path
    python: Path

    def run(self, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """The command, done; nothing of wheelfleet's configuration reaches it."""
        environment = {
            **without_ours(os.environ),
            "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}",
            "VIRTUAL_ENV": str(self.bin.parent),
            "PYTHONHASHSEED": "0",  # it walks and prints sets in the order of their hashes
            "FROMAGER_HTTP_RETRIES": "3",  # an index that cannot be reached should fail in a minute
            **_certificates(os.environ),
        }
        argv = [str(self.bin / "fromager"), *arguments]
        return subprocess.run(argv, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def _certificates(environ: Mapping[str, str]) -> dict[str, str]:
    """The CA bundle that pip or the system's OpenSSL are told, for requests, which reads neither."""
    bundle = environ.get("SSL_CERT_FILE") or environ.get("PIP_CERT")
    return {"REQUESTS_CA_BUNDLE": bundle} if bundle and "REQUESTS_CA_BUNDLE" not in environ else {}


def without_ours(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what configures either program."""
    return {name: value for name, value in environ.items() if not name.startswith(("WHEELFLEET_", "FROMAGER_"))}


def find_python(environ: Mapping[str, str]) -> Path | None:
    """A Python 3.12 on PATH, or of pyenv; None where neither has one."""
    return next((path for path in _candidates(environ) if _is_wanted(path)), None)


def install_fromager(python: Path, environ: Mapping[str, str]) -> Fromager:
    """fromager, installed with this Python; raises CalledProcessError where that fails.

    Cost: half a minute the first time, nothing later.
    """
    base = environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(base) / "wheelfleet-oracle" / REQUIREMENT.replace("==", "-")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = folder / "installed"
        if not stamp.exists():
            shutil.rmtree(folder / "env", ignore_errors=True)
            subprocess.run([python, "-m", "venv", folder / "env"], check=True)
            pip = [folder / "env" / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "--quiet"]
            subprocess.run([*pip, "install", REQUIREMENT, "uv"], check=True)
            stamp.touch()
    return Fromager(folder / "env" / "bin", python)


def _candidates(environ: Mapping[str, str]) -> Iterator[Path]:
    if found := shutil.which(PYTHON, path=environ.get("PATH")):
        yield Path(found)
    root = environ.get("PYENV_ROOT") or str(Path.home() / ".pyenv")
    yield from map(Path, sorted(glob.glob(f"{glob.escape(root)}/versions/3.12.*/bin/{PYTHON}")))  # noqa: PTH207


def _is_wanted(path: Path) -> bool:
    """Whether it runs: pyenv's shims are there for versions that are not chosen, and fail."""
    done = subprocess.run([path, "-c", _VERSION], capture_output=True, text=True, check=False)
    return done.returncode == 0 and done.stdout.strip() == "3.12"
