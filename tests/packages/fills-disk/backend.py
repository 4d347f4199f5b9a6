"""A backend that writes files until somebody stops it, slowly enough for any test machine."""

import itertools
import time
from pathlib import Path


def get_requires_for_build_wheel(config_settings=None):
    for number in itertools.count():
        if number < 40:
            Path(f"part-{number}").write_bytes(b"x" * 1024 * 1024)
        time.sleep(0.01)
