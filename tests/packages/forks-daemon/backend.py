"""A backend that leaves a daemon behind, out of its session and with its output elsewhere."""

import os
import signal
import time
from pathlib import Path


def get_requires_for_build_wheel(config_settings=None):
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            os.dup2(os.open("/dev/null", os.O_RDWR), 1)
            os.dup2(1, 2)
            Path(os.environ["PIDS"]).write_text(f"{os.getpid()}")
            os.write(writer, b"ready")
            while True:
                time.sleep(60)
        os._exit(0)
    os.read(reader, 5)
    return []


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    get_requires_for_build_wheel()
    print("waiting for ever", flush=True)
    while True:
        time.sleep(60)
