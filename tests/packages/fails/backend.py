"""A backend that fails in each way there is."""

import os
import sys


def get_requires_for_build_wheel(config_settings=None):
    print("looking for a compiler", flush=True)
    raise RuntimeError("no compiler found")


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    print("about to exit", file=sys.stderr, flush=True)
    os._exit(7)
