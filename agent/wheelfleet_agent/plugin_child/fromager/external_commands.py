"""Programs that a plugin starts."""

import logging
import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wheelfleet_agent.plugin_child.unoffered import stand_ins

logger = logging.getLogger(__name__)


class NetworkIsolationError(subprocess.CalledProcessError):
    """A program failed for want of a network; the sandbox around it does not tell, so it is not raised."""


def run(
    cmd: Sequence[str],
    *,
    cwd: str | None = None,
    extra_environ: Mapping[str, Any] | None = None,
    network_isolation: bool = False,
    log_filename: str | None = None,
    stdin: Any = None,
) -> str:
    """The program's output, of both kinds, which the log of the build has too.

    The sandbox around the plugin keeps the network away, so network_isolation changes nothing. Raises
    subprocess.CalledProcessError where the program fails.
    """
    del network_isolation
    environ = {**os.environ, **{name: str(value) for name, value in (extra_environ or {}).items()}}
    done = subprocess.run(
        [str(word) for word in cmd],
        cwd=cwd,
        env=environ,
        stdin=stdin if stdin is not None else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    output = done.stdout.decode("utf-8", "replace")
    if log_filename:
        Path(log_filename).write_text(output, encoding="utf-8")
    logger.info("%s\n%s", shlex.join(map(str, cmd)), output)
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, cmd, output)
    return output


__getattr__ = stand_ins(__name__)
