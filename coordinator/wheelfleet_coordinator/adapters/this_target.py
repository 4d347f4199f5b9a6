"""The machine and the Python that run this process, as a target."""

import platform
import sys
import sysconfig

from packaging.markers import default_environment
from packaging.tags import sys_tags

from wheelfleet_shared.core.targets import TargetDefinition, neutral_environment, target_id


def this_target() -> TargetDefinition:
    """What wheels may rely on here; for commands that look at an index without any agent. Cost: some 10 ms."""
    environment = {name: str(value) for name, value in default_environment().items()}
    abi = f"cp{sys.version_info.major}{sys.version_info.minor}"
    libc, floor = platform.libc_ver()
    machine = sysconfig.get_platform().rpartition("-")[2]
    return TargetDefinition(
        id=target_id(abi, machine, libc or "musl"),
        implementation=environment["implementation_name"],
        python=environment["python_version"],
        abi=abi,
        machine=machine,
        libc=libc or "musl",
        libc_floor=floor,
        marker_environment=neutral_environment(environment),
        tags=tuple(str(tag) for tag in sys_tags()),
    )
