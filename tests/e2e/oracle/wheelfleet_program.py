"""wheelfleet as its users run it: commands on an embedded cluster, whose agent builds for a given Python."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from fromager_program import without_ours

ROOT = Path(__file__).parents[3]
BIN = Path(sys.executable).parent


class Wheelfleet(NamedTuple):
    """Commands that use one data folder. python: what wheels are built for. sandbox: auto or none."""

    data: Path
    python: Path
    sandbox: str = "auto"

    def bootstrap(self, output: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The bootstrap, done; its results lie in ``output``."""
        return self.run("--sandbox", self.sandbox, "-O", str(output), "bootstrap", *arguments)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command, done."""
        environment = {
            **without_ours(os.environ),
            "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in ("coordinator", "agent", "shared")),
            "WHEELFLEET_DATA": str(self.data),
            "WHEELFLEET_INTERPRETERS": str(self.python),
        }
        argv = [str(BIN / "wheelfleet"), *arguments]
        return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)


def sandbox_here() -> str:
    """What to pass as --sandbox on this machine: auto where the sandbox passes its probe."""
    probe = subprocess.run([BIN / "wheelfleet-agent", "--probe-sandbox"], capture_output=True, check=False)
    return "auto" if probe.returncode == 0 else "none"
