"""What a script of steps prints and leaves behind, so that two programs that ran it can be compared."""

import json
import re
import subprocess
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

SCRIPT = Path(__file__).with_name("steps.sh")
RECORD = Path(__file__).with_name("steps.json")
TREES = ("counted-backend", "compiled")
_PYTHON = re.compile(r"cp(ython-)?3\d+")
_MACHINE = re.compile(r"linux_[a-z0-9_]+")
_OWN = ("fromager-build-settings",)
"""Holds settings by each program's own choice."""


def run_script(program: Path, index: str, folder: Path, environment: Mapping[str, str]) -> dict[str, object]:
    """What came of it; raises AssertionError, with what it said, where it failed."""
    argv = ["sh", str(SCRIPT), str(program), index]
    done = subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if not line.startswith("INFO: ")]  # fromager's server of wheels
    printed = [Path(line).relative_to(folder).as_posix() for line in lines]
    return {"printed": list(map(_neutral, printed)), "files": dict(sorted(_files(folder).items()))}


def _files(folder: Path) -> dict[str, object]:
    """Archives with the names of their members, requirement files with their text."""
    found: dict[str, object] = {}
    for path in folder.glob("sdists-repo/*/*.tar.gz"):
        with tarfile.open(path) as sdist:
            found[_name(path, folder)] = sorted(member.name for member in sdist if member.isfile())
    for path in folder.glob("wheels-repo/downloads/*.whl"):
        with zipfile.ZipFile(path) as wheel:
            names = [info.filename for info in wheel.infolist() if not info.is_dir()]
            found[_name(path, folder)] = sorted(_neutral(name) for name in names if not name.endswith(_OWN))
            found |= {
                f"{_name(path, folder)}: {Path(name).name}": wheel.read(name).decode().splitlines()
                for name in names
                if Path(name).name.startswith("fromager-build-") and not name.endswith(_OWN)
            }
    for path in folder.glob("work-dir/*/*requirements.txt"):
        found[_name(path, folder)] = path.read_text().splitlines()
    return found


def _name(path: Path, folder: Path) -> str:
    return _neutral(path.relative_to(folder).as_posix())


def _neutral(text: str) -> str:
    """The same for each Python and machine."""
    return _MACHINE.sub("linux_machine", _PYTHON.sub("cpXY", text))


def read_record() -> dict[str, object]:
    """What fromager did when that was recorded."""
    found: dict[str, object] = json.loads(RECORD.read_text())
    return found


def write_record(found: dict[str, object]) -> None:
    """It is what later runs are compared with."""
    RECORD.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
