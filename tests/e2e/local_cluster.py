"""The command as its users run it: an embedded cluster of its own, and nothing of this machine's configuration."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "wheelfleet_coordinator")
_FOREIGN = ("PIP_", "UV_", "WHEELFLEET_", "FROMAGER_")
WITHIN = 240
"""Seconds that a command may take on a busy machine."""


class Said(NamedTuple):
    """What a command that has ended said."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The lines of its standard output."""
        return self.out.splitlines()


class LocalCluster(NamedTuple):
    """Commands on one data folder. folder: of the user, who works there. variables: of each command's environment."""

    folder: Path
    index: str
    variables: dict[str, str]
    umask: int = 0o022

    @property
    def data(self) -> Path:
        """The data folder of the cluster."""
        return self.folder / "data"

    def run(self, *arguments: str) -> Said:
        """The command, done."""
        process = self.start(*arguments)
        try:
            out, err = process.communicate(timeout=WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        return Said(process.returncode, out, err)

    def bootstrap(self, *arguments: str) -> Said:
        """A bootstrap from the index, done."""
        return self.run("bootstrap", "--index-url", self.index, *arguments)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """The command, under way."""
        return subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=self.folder,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            umask=self.umask,
        )

    def told(self, *arguments: str) -> Any:
        """The command's answer as machines read it."""
        said = self.run(*arguments, "--format", "json")
        assert said.status == 0, said.err
        return json.loads(said.out)

    def events(self) -> list[dict[str, Any]]:
        """The log: sequence, subject and envelope of each event."""
        said = self.run("export")
        assert said.status == 0, said.err
        return [json.loads(line) for line in said.lines]

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        return {
            **kept,
            "HOME": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "WHEELFLEET_DATA": str(self.data),
            "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in ("coordinator", "agent", "shared")),
            **self.variables,
        }


@contextlib.contextmanager
def local_cluster(folder: Path, index: str, *, umask: int = 0o022, **variables: str) -> Iterator[LocalCluster]:
    """A cluster that starts with the first command and is gone after the block."""
    folder.mkdir(parents=True, exist_ok=True)
    cluster = LocalCluster(folder, index, variables, umask)
    try:
        yield cluster
    finally:
        cluster.run("down", "--now")


def sandbox_here() -> str:
    """What to pass as --sandbox on this machine: auto where a sandbox passes its probe."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in ("agent", "shared"))}
    probe = [sys.executable, "-m", "wheelfleet_agent", "--probe-sandbox"]
    return (
        "auto" if subprocess.run(probe, env=environment, capture_output=True, check=False).returncode == 0 else "none"
    )
