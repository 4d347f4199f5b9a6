"""What hostile code would try, harmlessly; run as a script inside a sandbox that is to be proven.

Standard library only. Argument: a JSON object {port, outside, canary_file, canary_name, pid}. Prints
a JSON object {attack: whether it succeeded}.
"""

import contextlib
import json
import os
import socket
import sys
from pathlib import Path


def connect(port: int) -> bool:
    """Reach a listener on the host's loopback."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


def write(outside: Path) -> bool:
    """Leave a file in a folder of the host, made if need be."""
    try:
        outside.mkdir(parents=True, exist_ok=True)
        (outside / "attack").write_text("was here", "ascii")
    except OSError:
        return False
    return True


def read_secret(canary_file: Path, canary_name: str) -> bool:
    """Find a secret in a file, in our environment, or in that of another process."""
    if canary_name in os.environ:
        return True
    with contextlib.suppress(OSError):
        canary_file.read_bytes()
        return True
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if canary_name.encode() in environ.read_bytes():
                return True
    return False


def see_process(pid: int) -> bool:
    """Find a process of the host."""
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def open_kernel_settings() -> bool:
    """Get hold of what starts programs on the host; nothing is written."""
    try:
        os.close(os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY))
    except OSError:
        return False
    return True


def main() -> None:
    """Try everything and tell."""
    told = json.loads(sys.argv[1])
    outcome = {
        "network": connect(told["port"]),
        "write outside": write(Path(told["outside"])),
        "read secrets": read_secret(Path(told["canary_file"]), told["canary_name"]),
        "see processes": see_process(told["pid"]),
        "change kernel settings": open_kernel_settings(),
    }
    sys.stdout.write(json.dumps(outcome) + "\n")


if __name__ == "__main__":
    main()
